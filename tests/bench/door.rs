//! Who comes in, what is refused, and what works without a script.

use super::Bench;
use crate::common::{Lab, cardlab, has};
use serde_json::Value;

/// A browser without a script, or a program that was told the address.
pub(super) struct Http {
    client: reqwest::blocking::Client,
    base: String,
    cookie: String,
}

impl Http {
    pub(super) fn open(bench: &Bench) -> Self {
        let client = reqwest::blocking::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_only([])
            .no_proxy()
            .build()
            .unwrap();
        let opened = client.get(&bench.address).send().unwrap();
        assert_eq!((opened.status().as_u16(), &opened.headers()["location"]), (303, &"/".parse().unwrap()));
        let set = opened.headers()["set-cookie"].to_str().unwrap();
        has(set, &["HttpOnly", "SameSite=Strict", "Path=/"]);
        let token = bench.address.rsplit_once('/').unwrap().1;
        assert!(!set.contains(token), "what stands in the address stands nowhere else");
        Self { cookie: set.split(';').next().unwrap().to_owned(), base: bench.base().to_owned(), client }
    }

    pub(super) fn get(&self, path: &str) -> reqwest::blocking::RequestBuilder {
        self.client.get(format!("{}{path}", self.base)).header("cookie", &self.cookie)
    }

    /// What a form would do, as a command and for curl.
    pub(super) fn said(&self, path: &str, fields: &[(&str, &str)]) -> Value {
        self.client
            .post(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .form(fields)
            .send()
            .unwrap()
            .json()
            .unwrap()
    }

    fn press(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::blocking::RequestBuilder {
        self.client.post(format!("{}/do/{path}", self.base)).header("cookie", &self.cookie).form(fields)
    }
}

/// Status and sentence, on a page and as a problem.
#[track_caller]
fn refused(request: reqwest::blocking::RequestBuilder, status: u16, says: &str) {
    let page = request.try_clone().unwrap().header("accept", "text/html").send().unwrap();
    assert_eq!((page.status().as_u16(), &page.headers()["x-frame-options"]), (status, &"DENY".parse().unwrap()));
    has(
        &page.text().unwrap().replace("&#39;", "'").replace("&#34;", "\""),
        &["That cannot be done", says, "Back to the bench</a>"],
    );
    let problem: Value = request.header("accept", "application/json").send().unwrap().json().unwrap();
    assert_eq!(problem["status"], status, "{problem}");
    has(problem["message"].as_str().unwrap(), &[says]);
}

#[test]
fn who_is_not_of_this_page_gets_nothing() {
    let bench = Bench::with(&["gids,name=Anna,pin=123456"]);
    let http = Http::open(&bench);
    for host in ["bench.example", "127.0.0.1:evil.example", "[::1]x", "localhost:80x"] {
        refused(http.get("/").header("host", host), 403, "for this machine only");
        refused(http.client.get(&bench.address).header("host", host), 403, "for this machine only");
    }
    for origin in ["http://bench.example", "null", "http://127.0.0.1:1"] {
        refused(http.press("0/wrong", &[]).header("origin", origin), 403, "for this machine only");
        refused(http.get("/live").header("origin", origin), 403, "for this machine only");
    }
    let bare = |path: &str| http.client.get(format!("{}{path}", http.base));
    for path in ["/", "/live", "/save/wire.txt", "/record/0/1", "/00000000000000000000000000000000"] {
        refused(bare(path), 403, "Open the address that cardlab printed");
        refused(bare(path).header("cookie", "cardlab-bench-1=0"), 403, "Open the address that cardlab printed");
    }
    // What a program is to do, it is told: so it gets in.
    let problem: Value = bare("/").send().unwrap().json().unwrap();
    has(problem["message"].as_str().unwrap(), &["curl -L -b '' ADDRESS"]);
    let curled = std::process::Command::new("curl").args(["-sS", "-L", "-b", "", &bench.address]).output().unwrap();
    has(&String::from_utf8_lossy(&curled.stdout), &["<h2", "Anna"]);
    let post = |cookie: &str| http.client.post(format!("{}/do/0/wrong", http.base)).header("cookie", cookie).body("");
    refused(post("x=y"), 403, "Open the address that cardlab printed");
    // A token is for its own bench.
    let other = Bench::with(&["gids"]);
    refused(bare(&format!("/{}", other.address.rsplit_once('/').unwrap().1)), 403, "one that has ended");
    assert_eq!(bench.tries("Anna", "pin"), 3, "nothing was done");
    let page = http.get("/").header("accept", "text/html").send().unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    has(&policy, &["default-src 'none'", "script-src 'self'", "style-src 'self'"]);
    let page = page.text().unwrap();
    assert!(!page.contains("style=") && !page.contains("onclick") && !page.contains("<script>"), "nothing inline");
    assert!(!page.contains(bench.address.rsplit_once('/').unwrap().1), "the token is not on the page");
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let bench = Bench::with(&["gids,name=Anna,pin=123456,serial=11", "nist-piv,name=Boris,serial=22"]);
    let http = Http::open(&bench);
    refused(http.press("7/remove", &[]), 404, "no reader 7");
    refused(http.press("0/explode", &[]), 404, "no such button");
    refused(http.press("0/fault", &[("fault", "mute,applet=oath")]), 400, "oath");
    refused(http.press("0/fault", &[("fault", "mute,ins=XX")]), 400, "XX");
    refused(http.press("0/pace", &[("pace", "swift")]), 400, "swift");
    refused(http.press("0/undo", &[("count", "1000")]), 409, "commands can be undone");
    refused(http.press("0/state", &[("state", "puk-blocked")]), 400, "counts no tries");
    refused(http.press("0/lock", &[("secret", "admin")]), 409, "Nothing unblocks");
    refused(http.press("0/insert", &[]), 409, "has its card in it already");
    refused(http.press("0/restore", &[("text", "not a snapshot")]), 400, "line 1");
    let boris = bench.card(&["snapshot", "--secrets", "clear", "--reader", "Boris"]).ok();
    refused(http.press("0/restore", &[("text", &boris)]), 400, "nist-piv");
    refused(http.press("0/restore", &[("text", &"#".repeat(17 << 20))]), 413, "at most");
    // The card vanishes under the button: pulled out, and changed for another.
    bench.card(&["remove", "--reader", "Anna"]).ok();
    refused(http.press("0/remove", &[]), 409, "out of it");
    bench.card(&["insert", "--reader", "Anna"]).ok();
    bench.card(&["swap", "Boris", "--reader", "Anna"]).ok();
    let page = http.get("/").send().unwrap().text().unwrap();
    let here = page.split("name=\"card\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(here, "1:nist-piv");
    refused(http.press("0/wrong", &[("card", "0:gids")]), 409, "is another one now");
    // A PIN that was typed into a field beside its own is said to nobody.
    for (act, field) in
        [("wrong", "card"), ("new", "card-of"), ("fault", "fault"), ("pace", "pace"), ("lock", "secret"), ("undo", "count")]
    {
        let told = http.press(&format!("0/{act}"), &[(field, "471147x")]).send().unwrap();
        assert!(told.status().is_client_error(), "{act}");
        let told = told.text().unwrap();
        assert!(!told.contains("4711"), "{act}: {told}");
    }
    assert_eq!((bench.tries("Anna", "pin"), bench.tries("Boris", "pin")), (3, 3), "nothing was done");
    refused(http.get("/record/0/100000"), 404, "is not known any more");
    refused(http.get("/record/0/1?with=x"), 400, "READER.NUMBER");
    refused(http.get("/save/wire.exe"), 404, "wire.pcapng");
    refused(http.get("/nowhere/at-all"), 404, "no such page");
    // Where a number is none there is no page either.
    for path in [
        "/card/abc",
        "/record/abc/1",
        "/record/0/abc",
        "/conformance/run/abc",
        "/conformance/run/abc/live",
        "/conformance/run/abc/report.html",
        "/scenarios/run/abc",
        "/scenarios/run/-1/live",
    ] {
        refused(http.get(path), 404, "no such page");
    }
    refused(http.press("abc/remove", &[]), 404, "no such page");
    for path in ["/said/abc/remove", "/conformance/run/abc/stop", "/scenarios/run/abc/next"] {
        refused(http.client.post(format!("{}{path}", http.base)).header("cookie", &http.cookie).body(""), 404, "no such page");
    }
}

/// A row is of its card, wherever that is by now, and never of the card that is in its reader instead.
#[test]
fn a_row_is_of_its_card() {
    let bench = Bench::with(&["gids,name=Anna,pin=123456", "nist-piv,name=Boris"]);
    let http = Http::open(&bench);
    bench.card(&["lock", "pin", "--reader", "Anna"]).ok();
    bench.card(&["lock", "pin", "--reader", "Boris"]).ok();
    let page = http.get("/").send().unwrap().text().unwrap();
    let row = page.split("href=\"").find(|link| link.starts_with("/record/0/")).unwrap().split('"').next().unwrap();
    assert!(row.ends_with("?card=0%3Agids"), "{row}");
    let taken_apart = || http.get(row).header("accept", "text/html").send().unwrap().text().unwrap();
    has(&taken_apart(), &["Anna, command ", "name=\"card\" value=\"0:gids\""]);
    bench.card(&["swap", "Boris", "--reader", "Anna"]).ok();
    has(&taken_apart(), &["Boris, command "]);
    bench.card(&["new", "gids", "--reader", "Boris"]).ok();
    refused(http.get(row), 404, "is of a card that is there no more.");
}

/// Without a script: buttons are forms, what came in is a page and a file, nothing secret is in either.
#[test]
fn without_a_script_it_is_whole() {
    let bench = Bench::with(&["gids,name=Anna,pin=123456"]);
    let http = Http::open(&bench);
    let pressed = http.press("0/wrong", &[("secret", "pin")]).header("accept", "text/html").send().unwrap();
    assert_eq!((pressed.status().as_u16(), &pressed.headers()["location"]), (303, &"/#reader-0".parse().unwrap()));
    let page = http.get("/").header("accept", "text/html").send().unwrap().text().unwrap();
    has(&page, &["2 of 3", "wrong, 2 left", "/record/0/"]);
    let filtered = http.get("/?reader=0&command=verify&status=63C2").send().unwrap().text().unwrap();
    has(&filtered, &["wrong, 2 left"]);
    assert!(!filtered.contains("<b>SELECT</b>"), "the filter");
    let text = http.get("/save/wire.txt?command=VERIFY").send().unwrap().text().unwrap();
    has(&text, &["bytes masked]   VERIFY, PIN", "tries left: 2"]);
    let lines = http.get("/save/wire.jsonl").send().unwrap().text().unwrap();
    let line: Value =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).find(|line: &Value| line["name"] == "VERIFY, PIN").unwrap();
    assert!(line["took"].as_f64().unwrap() > 0.0, "{line}");
    has(line["program"].as_str().unwrap(), &["cardlab up"]);
    let capture = http.get("/save/wire.pcapng").send().unwrap().bytes().unwrap();
    std::fs::write(bench.lab.file("wire.pcapng"), &capture).unwrap();
    has(&cardlab(&["trace", "show", bench.lab.file("wire.pcapng").to_str().unwrap()]).ok(), &["VERIFY, PIN"]);
    // A snapshot goes to a file and brings the card back.
    let fields = [("secrets", "sealed"), ("passphrase", "sesame")];
    let saved = http.press("0/snapshot", &fields).header("accept", "text/html").send().unwrap();
    has(saved.headers()["content-disposition"].to_str().unwrap(), &["Anna.snapshot.toml"]);
    let saved = saved.text().unwrap();
    http.press("0/lock", &[("secret", "pin")]).send().unwrap();
    assert_eq!(bench.tries("Anna", "pin"), 0);
    refused(http.press("0/restore", &[("text", &saved), ("passphrase", "wrong")]), 400, "passphrase");
    let restored = http.press("0/restore", &[("text", &saved), ("passphrase", "sesame")]).send().unwrap();
    let told: Value = restored.json().unwrap();
    assert_eq!(told["command"], "CARDLAB_PASSPHRASE=… cardlab card restore FILE --reader 'Anna 00 00'");
    assert_eq!(bench.tries("Anna", "pin"), 2);
}

#[test]
fn where_it_opens() {
    let lab = Lab::new("gids");
    // Whoever has a lab at its usual addresses is no part of this.
    let elsewhere = ["lab", "--server", "127.0.0.1:0", "--lockscreen", "127.0.0.1:0", "--bench", "0.0.0.0:0"];
    has(&cardlab(&elsewhere).code(2), &["the bench is for this machine"]);
    has(&cardlab(&["up", "--page", "0.0.0.0:0"]).code(2), &["the bench is for this machine"]);
    let inside = lab.file("inside");
    let seen = cardlab(&["exec", "--card", "gids", "--page", "--", "touch", inside.to_str().unwrap()]).ok();
    has(&seen, &["cardlab: bench at http://127.0.0.1:"]);
    assert!(inside.exists());
    let bench = Bench::with(&["gids"]);
    let port = bench.base().rsplit_once(':').unwrap().1.to_owned();
    has(&cardlab(&["up", "--page", &format!("127.0.0.1:{port}")]).code(2), &["give another address with --page"]);
}

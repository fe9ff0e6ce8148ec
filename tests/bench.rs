//! The bench in a browser: what is pressed there programs see, what programs do is seen there.

use crate::common::browser::{Browser, Driver};
use crate::common::site::Running;
use crate::common::{CARDLAB, Lab, Said, Up, cardlab, has, said};
use cardlab_pcsclite::client::{Context, ShareMode};
use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// Readers with a bench over them.
struct Bench {
    up: Up,
    lab: Lab,
    /// What opens it.
    address: String,
}

impl Bench {
    fn with(cards: &[&str]) -> Self {
        let lab = Lab::new("gids");
        let cards = cards.iter().flat_map(|card| ["--card", card]);
        let up = Up::start(&lab, &cards.chain(["--page"]).collect::<Vec<_>>());
        let address = up.ready.split(' ').find_map(|word| word.strip_prefix("page=")).unwrap().to_owned();
        Self { up, lab, address }
    }

    /// The address without the token.
    fn base(&self) -> &str {
        self.address.rsplit_once('/').unwrap().0
    }

    fn card(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(CARDLAB);
        command.current_dir(self.lab.path()).env("PCSCLITE_CSOCK_NAME", self.up.socket()).arg("card").args(arguments);
        said(command.env_remove("CARDLAB_CONTROL").output().unwrap())
    }

    fn tries(&self, reader: &str, what: &str) -> u64 {
        let shown: Value = serde_json::from_str(&self.card(&["show", "--json", "--reader", reader]).ok()).unwrap();
        shown[0]["card"][what]["left"].as_u64().unwrap()
    }

    /// A browser that has come in.
    async fn open(&self, driver: &Driver, name: &str) -> Browser {
        let browser = driver.browser(name).await;
        browser.go(&self.address).await;
        browser.sees("Wire").await;
        // Whoever loads the page anew loses this.
        browser.0.execute("window.stays = true", vec![]).await.unwrap();
        browser
    }
}

async fn stays(browser: &Browser) {
    assert_eq!(browser.0.execute("return window.stays === true", vec![]).await.unwrap(), json!(true), "the page was loaded anew");
}

/// Each button's effect is seen by a program, and on the page without loading it anew.
#[tokio::test]
async fn what_is_pressed_programs_see() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let browser = bench.open(&driver, "anna").await;
    browser.sees("3 of 3").await;
    browser.press_here("Wrong PIN").await;
    browser.sees("2 of 3").await;
    assert_eq!(bench.tries("Anna", "pin"), 2);
    let page = browser.sees("wrong, 2 left").await;
    has(
        &page,
        &[
            "Wrong PIN: done.",
            "cardlab card lock pin --tries 2 --reader 'Anna 00 00'",
            "curl --unix-socket",
            "/v1/readers/0/lock",
        ],
    );
    browser.press_here("Wrong PIN").await;
    browser.sees("last PIN try").await;
    browser.open("Wrong PIN…").await;
    browser.sees("This is the last try").await;
    assert_eq!(bench.tries("Anna", "pin"), 1, "it asks before the last");
    browser.press_here("Block the PIN").await;
    browser.sees("PIN blocked").await;
    assert_eq!(bench.tries("Anna", "pin"), 0);
    browser.press_here("Fresh").await;
    browser.sees("3 of 3").await;
    browser.press_here("Pull out").await;
    browser.sees("card is out").await;
    has(&bench.card(&["list"]).ok(), &["Anna 00 00: no card"]);
    browser.press_here("Put in").await;
    browser.sees("ready").await;
    browser.open("More…").await;
    browser.fill("fault", "no-such-fault").await;
    browser.press_here("Arm").await;
    browser.sees("no fault named 'no-such-fault'").await;
    browser.fill("fault", "remove-after,ins=20").await;
    browser.press_here("Arm").await;
    browser.sees("Disarm all").await;
    has(&bench.card(&["fault"]).ok(), &["remove-after,ins=20"]);
    browser.press_here("Disarm all").await;
    browser.sees_no_more("remove-after,ins=20").await;
    assert_eq!(bench.card(&["fault"]).ok(), "");
    browser.press_here("last-try").await;
    browser.sees("last PIN try").await;
    browser.press_here("Unplug reader").await;
    browser.sees("unplugged").await;
    has(&bench.card(&["list"]).ok(), &["no readers"]);
    browser.press_here("Plug in").await;
    browser.sees("card is out").await;
    // The shown command is one that runs.
    bench.card(&["insert", "--reader", "Anna 00 00"]).ok();
    browser.sees("last PIN try").await;
    // Taken apart beside the wire.
    let row = Locator::XPath("//tr[contains(., 'VERIFY') and contains(., 'wrong, 2 left')]//a");
    browser.0.find(row).await.unwrap().click().await.unwrap();
    let taken = browser.sees("bytes masked").await;
    has(&taken, &["VERIFY, PIN", "63 C2", "Compare with"]);
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// SELECT of the GIDS application, and a PIN that is wrong.
const SELECT_GIDS: &[u8] = b"\x00\xA4\x04\x00\x0B\xA0\x00\x00\x03\x97\x42\x54\x46\x59\x02\x01";
const WRONG_PIN: &[u8] = b"\x00\x20\x00\x80\x06999999";

/// Pip by pip, on two pages at once, with the name of the program that does it.
#[tokio::test]
async fn a_program_that_locks_a_card_is_seen_doing_it() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let pages = [bench.open(&driver, "one").await, bench.open(&driver, "two").await];
    let context = Context::establish_at(&bench.up.socket()).unwrap();
    let mut card = context.connect("Anna 00 00", ShareMode::Shared).unwrap();
    assert_eq!(card.transmit(SELECT_GIDS).unwrap().last_chunk(), Some(&[0x90, 0x00]));
    let me = std::fs::read_to_string("/proc/self/comm").unwrap().trim().to_owned();
    for left in [2, 1, 0] {
        assert_eq!(card.transmit(WRONG_PIN).unwrap(), [0x63, 0xC0 + left]);
        for page in &pages {
            let shown = page.sees(&format!("{left} of 3")).await;
            has(&shown, &["Held by", &me]);
            let pips = "return document.querySelector('#now-0 .pips').querySelectorAll('i:not(.gone)').length";
            assert_eq!(page.0.execute(pips, vec![]).await.unwrap(), json!(left));
        }
    }
    drop(card);
    drop(context);
    for page in pages {
        has(&page.sees("wrong, blocked").await, &["wrong, 2 left", "wrong, 1 left", "PIN blocked", &me]);
        page.sees_no_more("Held by").await;
        stays(&page).await;
        page.0.close().await.unwrap();
    }
}

/// A program of ours is named with what it does, also after it has ended.
#[tokio::test]
async fn what_a_program_of_ours_does_is_named() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let browser = bench.open(&driver, "anna").await;
    bench.card(&["lock", "pin"]).ok();
    has(&browser.sees("wrong, blocked").await, &["cardlab card"]);
    browser.0.close().await.unwrap();
}

/// So many commands that not all can be shown: that is said, and buttons work meanwhile.
#[tokio::test]
async fn thousands_of_commands_leave_the_page_at_hand() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna", "gids,name=Boris"]));
    let browser = bench.open(&driver, "anna").await;
    let (socket, stop) = (bench.up.socket(), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stopped = stop.clone();
    let hammer = std::thread::spawn(move || {
        let context = Context::establish_at(&socket).unwrap();
        let mut card = context.connect("Anna 00 00", ShareMode::Shared).unwrap();
        let mut sent = 0;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            card.transmit(&[0x00, 0x20, 0x00, 0x80]).unwrap();
            sent += 1;
        }
        sent
    });
    browser.sees("more, too many to show one by one").await;
    let button = Locator::XPath("//section[@id='reader-1']//button[.='Pull out']");
    browser.0.find(button).await.unwrap().click().await.unwrap();
    browser.sees("card is out").await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let sent: u64 = hammer.join().unwrap();
    assert!(sent > 1000, "{sent}");
    let rows = browser.0.execute("return document.getElementById('rows').rows.length", vec![]).await.unwrap();
    assert!(rows.as_u64().unwrap() <= 500, "{rows}");
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// A way to the bench that can be cut.
struct Wire {
    port: u16,
    open: Arc<Mutex<Vec<TcpStream>>>,
    cut: Arc<std::sync::atomic::AtomicBool>,
}

impl Wire {
    fn to(address: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, cut) = (Arc::new(Mutex::new(Vec::new())), Arc::new(std::sync::atomic::AtomicBool::new(false)));
        let wire = Self { port, open: open.clone(), cut: cut.clone() };
        std::thread::spawn(move || {
            for here in listener.incoming().map_while(Result::ok) {
                if cut.load(std::sync::atomic::Ordering::SeqCst) {
                    continue;
                }
                let Ok(there) = TcpStream::connect(&address) else { continue };
                for (mut from, mut into) in [
                    (here.try_clone().unwrap(), there.try_clone().unwrap()),
                    (there.try_clone().unwrap(), here.try_clone().unwrap()),
                ] {
                    std::thread::spawn(move || {
                        let mut bytes = [0; 4096];
                        while let Ok(count @ 1..) = from.read(&mut bytes) {
                            if into.write_all(&bytes[..count]).is_err() {
                                break;
                            }
                        }
                        let _ = into.shutdown(Shutdown::Both);
                    });
                }
                open.lock().unwrap().extend([here, there]);
            }
        });
        wire
    }

    fn set_cut(&self, cut: bool) {
        self.cut.store(cut, std::sync::atomic::Ordering::SeqCst);
        if cut {
            self.open.lock().unwrap().drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_is_told_and_comes_back() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Anna,pin=123456"]));
    let wire = Wire::to(bench.base().trim_start_matches("http://").to_owned());
    let browser = driver.browser("anna").await;
    browser.go(&bench.address.replace(bench.base(), &format!("http://127.0.0.1:{}", wire.port))).await;
    browser.sees("3 of 3").await;
    browser.0.execute("window.stays = true", vec![]).await.unwrap();
    wire.set_cut(true);
    browser.sees("The connection is lost").await;
    browser.press_here("Wrong PIN").await;
    browser.sees("The bench gave no answer").await;
    assert_eq!(bench.tries("Anna", "pin"), 3);
    bench.card(&["state", "--pin", "1"]).ok();
    wire.set_cut(false);
    browser.sees("last PIN try").await;
    browser.sees_no_more("The connection is lost").await;
    stays(&browser).await;
    browser.0.close().await.unwrap();
}

/// Without a pointer, on a telephone, at 200 %, in the dark: nothing is wider than the window, no rule is broken.
#[tokio::test]
async fn for_everybody() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    for (name, browser) in [("light", driver.browser("light").await), ("dark", driver.dark_browser("dark").await)] {
        browser.go(&running.bench).await;
        browser.sees("Clara").await;
        running.cardlab(&["card", "state", "pin-blocked", "--reader", "Boris"]).ok();
        browser.sees("PIN blocked").await;
        browser.open_all().await;
        browser.is_accessible().await;
        browser.fits().await;
        browser.picture(&format!("bench-{name}-open")).await;
        browser.go(&format!("{}/", running.bench.rsplit_once('/').unwrap().0)).await;
        browser.sees("PIN blocked").await;
        browser.picture(&format!("bench-{name}")).await;
        // 200 % of a window of 1280 is one of 640.
        browser.0.set_window_size(640, 800).await.unwrap();
        let over = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.0.execute(over, vec![]).await.unwrap(), json!(0));
        browser.0.set_window_size(375, 800).await.unwrap();
        browser.picture(&format!("bench-{name}-375")).await;
        browser.0.set_window_size(1280, 900).await.unwrap();
        // By the keyboard: the button that has the focus is told, pressed, and keeps the focus.
        browser.0.execute("document.getElementById('b-0-remove').focus()", vec![]).await.unwrap();
        browser.sees("cardlab card remove --reader 'Anna 00 00'").await;
        browser.0.active_element().await.unwrap().send_keys(&String::from(char::from(Key::Enter))).await.unwrap();
        browser.sees("card is out").await;
        browser.0.execute("document.getElementById('b-0-insert').focus()", vec![]).await.unwrap();
        browser.0.active_element().await.unwrap().send_keys(" ").await.unwrap();
        browser.sees_no_more("card is out").await;
        browser.0.close().await.unwrap();
    }
}

/// A browser without a script, or a program that was told the address.
struct Http {
    client: reqwest::blocking::Client,
    base: String,
    cookie: String,
}

impl Http {
    fn open(bench: &Bench) -> Self {
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

    fn get(&self, path: &str) -> reqwest::blocking::RequestBuilder {
        self.client.get(format!("{}{path}", self.base)).header("cookie", &self.cookie)
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
    assert_eq!((bench.tries("Anna", "pin"), bench.tries("Boris", "pin")), (3, 3), "nothing was done");
    refused(http.get("/record/0/100000"), 404, "is not known any more");
    refused(http.get("/record/0/1?with=x"), 400, "READER.NUMBER");
    refused(http.get("/save/wire.exe"), 404, "wire.pcapng");
    refused(http.get("/nowhere/at-all"), 404, "no such page");
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
    has(&cardlab(&["lab", "--bench", "0.0.0.0:0"]).code(2), &["the bench is for this machine"]);
    has(&cardlab(&["up", "--page", "0.0.0.0:0"]).code(2), &["the bench is for this machine"]);
    let inside = lab.file("inside");
    let seen = cardlab(&["exec", "--card", "gids", "--page", "--", "touch", inside.to_str().unwrap()]).ok();
    has(&seen, &["cardlab: bench at http://127.0.0.1:"]);
    assert!(inside.exists());
    let bench = Bench::with(&["gids"]);
    let port = bench.base().rsplit_once(':').unwrap().1.to_owned();
    has(&cardlab(&["up", "--page", &format!("127.0.0.1:{port}")]).code(2), &["give another address with --page"]);
}

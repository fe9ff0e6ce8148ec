//! Requests under other names, and those of other sites' pages.

use crate::common::{ANNA, Engine, Site, right};
use cardlab_server_stub::service::setup::sample;
use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use serde_json::json;

on_both_engines! {
    another_site_costs_nobody_anything,
}

/// Every address that the server has: those of its document, and those of its pages.
fn addresses(site: &Site) -> Vec<(Method, String)> {
    let document = site.get("/api/openapi.json", "").ok();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            all.push((method.to_uppercase().parse().unwrap(), path.replace(['{', '}'], "")));
        }
    }
    for page in ["/", "/mc", "/mc/login", "/ss", "/ss/login", "/rss", "/assets/style.css", "/nowhere", "/api/openapi.json"] {
        all.push((Method::GET, page.into()));
        all.push((Method::POST, page.into()));
    }
    all
}

#[test]
fn no_route_answers_under_another_name() {
    let site = Site::start(Engine::Sqlite);
    let token = site.administrator();
    let before = site.events("").len();
    for (method, path) in addresses(&site) {
        let status = |set: &dyn Fn(RequestBuilder) -> RequestBuilder| {
            site.send(&path, |http, url| set(http.request(method.clone(), url).bearer_auth(&token).json(&json!({}))))
                .status()
                .as_u16()
        };
        assert_eq!(status(&|request| request.header("host", "evil.example")), 421, "{method} {path}");
        assert_eq!(status(&|request| request.header("origin", "http://evil.example")), 403, "{method} {path}");
        assert_eq!(status(&|request| request.header("origin", "null")), 403, "{method} {path}");
    }
    assert_eq!(site.events("").len(), before + 1, "but for the login that reads the log");
    // Who has a page before them gets one.
    let page = site.send("/mc", |http, url| http.get(url).header("host", "evil.example").header("accept", "text/html"));
    let text = page.text().unwrap();
    assert!(text.contains("<h1>") && text.contains("serve --name NAME"), "{text}");
}

/// A page elsewhere makes a browser post forms: no limit is used up, nobody is locked, nothing is changed.
fn another_site_costs_nobody_anything(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let (name, password) = sample::ADMINISTRATOR;
    for (header, value) in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
        for _ in 0..40 {
            for (path, fields) in
                [("/rss", vec![("name", "lab\\anna")]), ("/mc/login", vec![("name", name), ("password", "wrong")])]
            {
                let answer = site.send(path, |http, url| http.post(url).form(&fields).header(header, value));
                assert_eq!(answer.status(), 403, "{engine:?}: {path}");
            }
            // As plain text, which a page may send anywhere.
            let open = json!({"serial": ANNA}).to_string();
            let answer = site.send("/credprovapi/v1/sessions", |http, url| http.post(url).body(open).header(header, value));
            assert_eq!(answer.status(), 403, "{engine:?}");
        }
    }
    site.log_in((name, password));
    let own = |path: &str, fields: &[(&str, &str)]| {
        site.send(path, |http, url| {
            http.post(url).form(fields).header("origin", &site.base).header("sec-fetch-site", "same-origin")
        })
    };
    assert_eq!(own("/rss", &[("name", "lab\\anna")]).status(), 303);
    assert_eq!(own("/mc/login", &[("name", name), ("password", password)]).status(), 303);
    let session = site.open(ANNA);
    site.answers(&session, right).ok();
    // A link from elsewhere leads to the page.
    let linked = site.send("/mc/login", |http, url| http.get(url).header("sec-fetch-site", "cross-site"));
    assert_eq!(linked.status(), 200);
}

/// Over TLS a login's cookie is for this host and for encrypted connections alone.
#[test]
fn cookies_over_tls() {
    let site = Site::behind(Engine::Sqlite, |server| server, |front| front.encrypted(true));
    let log_in = |door: &str, name: &str, password: &str| {
        let fields = [("name", name), ("password", password)];
        let login = site.send(&format!("/{door}/login"), |http, url| http.post(url).form(&fields));
        login.headers()["set-cookie"].to_str().unwrap().to_owned()
    };
    let (name, password) = sample::ADMINISTRATOR;
    for (door, cookie) in [("mc", log_in("mc", name, password)), ("ss", log_in("ss", "lab\\anna", "anna-password"))] {
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert!(pair.starts_with(&format!("__Host-{door}=")), "{cookie}");
        assert_eq!(attributes, "HttpOnly; SameSite=Strict; Secure; Path=/");
        let page =
            |pair: &str| site.send(&format!("/{door}"), |http, url| http.get(url).header("cookie", pair)).status().as_u16();
        assert_eq!((page(pair), page(&pair.replace("__Host-", ""))), (200, 303), "{door}");
        // Each area has its own.
        let other = if door == "mc" { "ss" } else { "mc" };
        assert_eq!(page(&pair.replace(door, other)), 303);
    }
}

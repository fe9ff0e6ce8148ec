//! A headless Chromium, driven by Debian's chromedriver.

use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Longest wait for something to be on the page.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Driver {
    child: Child,
    address: String,
    profile: tempfile::TempDir,
}

impl Driver {
    pub fn start() -> Self {
        Self::in_zone("")
    }

    /// Of browsers whose clock is that of this zone; without a name, of the machine's.
    pub fn in_zone(zone: &str) -> Self {
        // It takes a free port of IPv4, and ends where the same of IPv6 is somebody else's: then another is to be had.
        (0..5).find_map(|_| Self::begun(zone)).expect("chromedriver names its port")
    }

    fn begun(zone: &str) -> Option<Self> {
        let mut child = Command::new("chromedriver")
            .envs((!zone.is_empty()).then_some(("TZ", zone)))
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Debian's chromium-driver; tests/run installs it");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_suffix('.').and_then(|l| l.rsplit_once("on port ")).map(|(_, port)| port.to_owned()));
        let Some(port) = port else {
            child.wait().unwrap();
            return None;
        };
        Some(Self { child, address: format!("http://127.0.0.1:{port}"), profile: tempfile::tempdir().unwrap() })
    }

    /// A browser of its own.
    pub async fn browser(&self, name: &str) -> Browser {
        self.browser_that(name, "--no-default-browser-check").await
    }

    /// A browser of its own whose user likes dark pages.
    pub async fn dark_browser(&self, name: &str) -> Browser {
        self.browser_that(name, "--blink-settings=preferredColorScheme=0").await
    }

    /// A browser of its own whose user reads German.
    pub async fn german_browser(&self, name: &str) -> Browser {
        self.browser_that(name, "--accept-lang=de-DE").await
    }

    async fn browser_that(&self, name: &str, option: &str) -> Browser {
        let profile = format!("--user-data-dir={}", self.profile.path().join(name).display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1000,900",
            &profile,
            option,
        ];
        let capabilities = json!({"goog:chromeOptions": {"args": arguments}});
        let capabilities = capabilities.as_object().unwrap().clone();
        Browser(
            ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
                .capabilities(capabilities)
                .connect(&self.address)
                .await
                .unwrap(),
            AtomicU32::new(0),
        )
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether something else was where it was about to click.
fn is_intercepted(error: &CmdError) -> bool {
    matches!(error, CmdError::Standard(answer) if answer.error == ErrorStatus::ElementClickIntercepted)
}

/// The browser, and how often somebody has clicked in it.
pub struct Browser(pub Client, AtomicU32);

impl Browser {
    pub async fn go(&self, url: &str) {
        self.0.goto(url).await.unwrap();
    }

    /// Waits for text on the page, and gives all of it.
    pub async fn sees(&self, text: &str) -> String {
        let quoted = json!(text).to_string();
        let found =
            format!("return document.body && document.body.innerText.includes({quoted}) ? document.body.innerText : null");
        let mut last = String::new();
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                // A page that is just being left has no body, or no script context.
                match self.0.execute(&found, vec![]).await {
                    Ok(value) if value.is_string() => return value.as_str().unwrap().to_owned(),
                    _ => {}
                }
                if let Ok(value) = self.0.execute("return document.body.innerText", vec![]).await {
                    last = value.to_string();
                }
            }
        });
        match waited.await {
            Ok(text) => text,
            Err(_) => panic!("no '{text}' on the page, but {last}"),
        }
    }

    /// Types into the field with this name.
    pub async fn fill(&self, name: &str, text: &str) {
        let css = format!("[name='{name}']");
        let typed = async || {
            let field = self.0.wait().at_most(PATIENCE).for_element(Locator::Css(&css)).await?;
            field.clear().await?;
            field.send_keys(text).await
        };
        self.settled(typed).await;
    }

    /// Does it again when the page was another one meanwhile, or what was looked at has moved.
    pub async fn settled<T>(&self, act: impl AsyncFn() -> Result<T, CmdError>) -> T {
        let done = tokio::time::timeout(PATIENCE, async {
            loop {
                match act().await {
                    Err(error)
                        if error.is_stale_element_reference()
                            || error.is_element_not_interactable()
                            || is_intercepted(&error) => {}
                    done => return done,
                }
            }
        });
        done.await.expect("a page that stays").unwrap()
    }

    /// Presses the button with this text and waits for the next page.
    pub async fn press(&self, text: &str) {
        // What is folded cannot be pressed.
        let path =
            format!("//button[(normalize-space()='{text}' or @aria-label='{text}') and not(ancestor::details[not(@open)])]");
        self.leave(Locator::XPath(&path)).await;
    }

    /// Presses the button with this text of a page that stays, again where it was drawn anew meanwhile.
    pub async fn press_here(&self, text: &str) {
        let path = format!("//button[normalize-space()='{text}' and not(ancestor::details[not(@open)])]");
        let pressed = async || self.0.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await?.click().await;
        self.settled(pressed).await;
    }

    /// Waits until no button with this text is on the page.
    pub async fn sees_no_button(&self, text: &str) {
        let script = "return [...document.querySelectorAll('button')].every((button) => button.innerText !== arguments[0])";
        let gone = tokio::time::timeout(PATIENCE, async {
            while self.0.execute(script, vec![json!(text)]).await.unwrap() != json!(true) {}
        });
        gone.await.unwrap_or_else(|_| panic!("the button '{text}' stays on the page"));
    }

    /// Types into the field with this id.
    pub async fn type_into(&self, id: &str, text: &str) {
        let typed = async || {
            let field = self.0.wait().at_most(PATIENCE).for_element(Locator::Id(id)).await?;
            field.clear().await?;
            field.send_keys(text).await
        };
        self.settled(typed).await;
    }

    /// Follows the link with this text and waits for the next page.
    pub async fn follow(&self, text: &str) {
        self.leave(Locator::LinkText(text)).await;
    }

    /// Follows the link whose text begins so and waits for the next page.
    pub async fn follow_part(&self, text: &str) {
        self.leave(Locator::XPath(&format!("//main//section//a[starts-with(normalize-space(), '{text}')]"))).await;
    }

    /// Presses the button that is called so, with whom it is for.
    pub async fn press_starting(&self, text: &str) {
        self.leave(Locator::XPath(&format!("//button[starts-with(@aria-label, '{text}') or normalize-space()='{text}']"))).await;
    }

    /// Presses the button with this text of what asks first, and waits for the next page.
    pub async fn confirm(&self, text: &str) {
        self.leave(Locator::XPath(&format!("//details[@open]//button[normalize-space()='{text}']"))).await;
    }

    /// Opens what asks first.
    pub async fn open(&self, text: &str) {
        self.1.fetch_add(1, Ordering::Relaxed);
        let path = format!("//summary[normalize-space()='{text}' or @aria-label='{text}']");
        let opened = async || {
            let summary = self.0.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await?;
            // What was refused is open already.
            if summary.find(Locator::XPath("..")).await?.attr("open").await?.is_some() { Ok(()) } else { summary.click().await }
        };
        self.settled(opened).await;
    }

    /// Opens all that is folded.
    pub async fn open_all(&self) {
        self.0.execute("document.querySelectorAll('details').forEach(details => { details.open = true })", vec![]).await.unwrap();
    }

    /// Names of the fields that begin so.
    pub async fn names(&self, beginning: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(`[name^='${arguments[0]}']`)].map(field => field.name)";
        serde_json::from_value(self.0.execute(script, vec![json!(beginning)]).await.unwrap()).unwrap()
    }

    /// An attribute of the first element that is selected so.
    pub async fn attribute(&self, css: &str, name: &str) -> String {
        let read = async || self.0.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await?.attr(name).await;
        self.settled(read).await.unwrap_or_default()
    }

    /// Types into the last field with this name.
    pub async fn fill_last(&self, name: &str, text: &str) {
        let css = format!("[name='{name}']");
        let typed = async || {
            let field = self.0.find_all(Locator::Css(&css)).await?.pop().unwrap();
            field.clear().await?;
            field.send_keys(text).await
        };
        self.settled(typed).await;
    }

    /// Sets a switch, or takes it back.
    pub async fn switch(&self, css: &str) {
        self.1.fetch_add(1, Ordering::Relaxed);
        let clicked = async || self.0.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await?.click().await;
        self.settled(clicked).await;
    }

    /// How often somebody has clicked since this was asked last.
    pub fn clicks(&self) -> u32 {
        self.1.swap(0, Ordering::Relaxed)
    }

    async fn leave(&self, by: Locator<'_>) {
        self.1.fetch_add(1, Ordering::Relaxed);
        let clicked = async || {
            let element = self.0.wait().at_most(PATIENCE).for_element(by).await?;
            self.0.execute("window.old = true", vec![]).await?;
            element.click().await
        };
        self.settled(clicked).await;
        let left = tokio::time::timeout(PATIENCE, async {
            let script = "return document.readyState === 'complete' && !window.old";
            while !matches!(self.0.execute(script, vec![]).await, Ok(serde_json::Value::Bool(true))) {}
        });
        left.await.expect("another page");
    }

    /// No rule of WCAG 2.2 A and AA, nor a good practice, is broken on this page.
    pub async fn is_accessible(&self) {
        let path =
            std::env::var("CARDLAB_AXE").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/target/axe/axe.min.js").into());
        let axe = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}; tests/run fetches axe-core"));
        self.0.execute(&axe, vec![]).await.unwrap();
        let script = "const done = arguments[0]; axe.run().then(r => done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' '))))";
        let found = self.0.execute_async(script, vec![]).await.unwrap();
        assert_eq!(found, json!([]), "on {}", self.0.current_url().await.unwrap());
    }

    /// Keeps a picture of the page under `target/tmp/screenshots`, to look at; one of a name that is in `docs/images` also there,
    /// where `CARDLAB_WRITE_DOCS` asks for it.
    pub async fn picture(&self, name: &str) {
        let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&directory).unwrap();
        let (picture, file) = (self.0.screenshot().await.unwrap(), format!("{name}.png"));
        let documented = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images").join(&file);
        if std::env::var_os("CARDLAB_WRITE_DOCS").is_some() && documented.exists() {
            std::fs::write(documented, &picture).unwrap();
        }
        std::fs::write(directory.join(file), picture).unwrap();
    }

    /// What stands on the page now.
    pub async fn page(&self) -> String {
        self.0.execute("return document.body.innerText", vec![]).await.unwrap().as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a text is in this element.
    pub async fn sees_in(&self, css: &str, text: &str) {
        let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
        let seen = tokio::time::timeout(PATIENCE, async {
            loop {
                let inside = self.0.execute(script, vec![json!(css)]).await.unwrap();
                if inside.as_str().is_some_and(|inside| inside.contains(text)) {
                    return;
                }
            }
        });
        seen.await.unwrap_or_else(|_| panic!("'{text}' does not come to {css}"));
    }

    /// Waits until a text is no longer on the page, and gives what is.
    pub async fn sees_no_more(&self, text: &str) -> String {
        let gone = tokio::time::timeout(PATIENCE, async {
            loop {
                let page = self.page().await;
                if !page.contains(text) {
                    return page;
                }
            }
        });
        gone.await.unwrap_or_else(|_| panic!("'{text}' stays on the page"))
    }

    /// Widths in pixels of a telephone and a screen; the page is as wide as the window, not wider.
    pub async fn fits(&self) {
        for (width, height) in [(375, 800), (1280, 900)] {
            self.0.set_window_size(width, height).await.unwrap();
            let script = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            let over = self.0.execute(script, vec![]).await.unwrap();
            assert_eq!(over, json!(0), "wider than {width} pixels: {}", self.page().await);
        }
    }

    /// What is named by a legend, a label or a heading is apart from what stands above.
    async fn nothing_sticks(&self) {
        let script = "const box = e => e.getBoundingClientRect();
            const shown = [...document.querySelectorAll('main *')].filter(e => e.checkVisibility() && box(e).width > 0 && box(e).right > 0);
            const gap = e => Math.min(...shown.filter(other => !other.contains(e) && !e.contains(other) && box(other).bottom <= box(e).top + 1
                && box(other).left < box(e).right && box(e).left < box(other).right).map(other => box(e).top - box(other).bottom));
            return shown.filter(e => e.matches('legend, label, h1, h2')).filter(e => gap(e) < 4).map(e => e.outerHTML)";
        assert_eq!(self.0.execute(script, vec![]).await.unwrap(), json!([]), "on {}", self.0.current_url().await.unwrap());
    }

    /// The page at both widths: accessible, nothing sticks to what stands above, not wider than the window, and kept as a picture of all of it.
    pub async fn is_seen(&self, name: &str) {
        for width in [375, 1280] {
            self.0.set_window_size(width, 900).await.unwrap();
            let script = "const page = document.documentElement; return [page.scrollWidth - page.clientWidth, page.scrollHeight]";
            let (over, height): (i64, u32) = serde_json::from_value(self.0.execute(script, vec![]).await.unwrap()).unwrap();
            assert!(over <= 0, "wider than {width} pixels: {}", self.page().await);
            self.is_accessible().await;
            self.nothing_sticks().await;
            self.0.set_window_size(width, height.clamp(900, 8_000) + 200).await.unwrap();
            self.picture(&format!("{name}-{width}")).await;
            self.0.set_window_size(width, 900).await.unwrap();
        }
    }

    pub async fn text(&self, css: &str) -> String {
        self.settled(async || self.0.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await?.text().await).await
    }

    /// The labels and names of the questions on the page.
    pub async fn questions(&self) -> Vec<(String, String)> {
        let script = "return [...document.querySelectorAll('label[for]')].map(l => [l.innerText, document.getElementById(l.htmlFor).name])";
        serde_json::from_value(self.0.execute(script, vec![]).await.unwrap()).unwrap()
    }
}

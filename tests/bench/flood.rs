//! Fifty cards, and more commands than anybody can look at: the page says that it samples, and does what it is there for.

use super::{Bench, stays};
use crate::common::browser::{Browser, Driver, PATIENCE};
use cardlab_pcsclite::client::{Connection, Context, ShareMode};
use fantoccini::Locator;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

const CARDS: usize = 50;
/// The card that nobody floods.
const LAST: usize = CARDS - 1;
const SENDERS: usize = 2;
/// Commands of each sender in the burst that is counted.
const BURST: u64 = 10_000;
/// Most rows that the page has (`MOST_ROWS` of `bench.js`).
const MOST_ROWS: u64 = 500;
/// VERIFY, status of the PIN.
const ASK: &[u8] = b"\x00\x20\x00\x80";

/// A program that sends commands to all cards but the last as fast as it can, over connections that stay: until it is told to stop,
/// and then as many as it is told.
struct Flooding {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    orders: Vec<Sender<u64>>,
    done: Receiver<()>,
    senders: Vec<JoinHandle<()>>,
}

impl Flooding {
    fn begin(socket: &Path) -> Self {
        let (stop, sent, (tell, done)) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), channel());
        let (mut orders, mut senders) = (Vec::new(), Vec::new());
        for own in 0..SENDERS {
            let (socket, stop, sent, tell, (order, ordered)) =
                (socket.to_path_buf(), stop.clone(), sent.clone(), tell.clone(), channel());
            orders.push(order);
            senders.push(std::thread::spawn(move || {
                let own: Vec<usize> = (own..LAST).step_by(SENDERS).collect();
                let contexts: Vec<_> = own.iter().map(|_| Context::establish_at(&socket).unwrap()).collect();
                let mut cards: Vec<_> = contexts.iter().zip(own).map(|(context, number)| connect(context, number)).collect();
                let mut ask = |count: u64, goes_on: &dyn Fn() -> bool| {
                    for n in (0..count).take_while(|_| goes_on()) {
                        let card = n as usize % cards.len();
                        cards[card].transmit(ASK).unwrap();
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                };
                ask(u64::MAX, &|| !stop.load(Ordering::Relaxed));
                tell.send(()).unwrap();
                for count in ordered {
                    ask(count, &|| true);
                    tell.send(()).unwrap();
                }
            }));
        }
        Self { stop, sent, orders, done, senders }
    }

    fn sent(&self) -> u64 {
        assert!(!self.senders.iter().any(JoinHandle::is_finished), "whoever sends is held up by nobody");
        self.sent.load(Ordering::Relaxed)
    }

    fn wait(&self) {
        (0..SENDERS).for_each(|_| self.done.recv().unwrap());
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wait();
    }

    /// Sends so many more, each.
    fn burst(&self, count: u64) {
        self.orders.iter().for_each(|order| order.send(count).unwrap());
        self.wait();
    }

    fn end(self) {
        drop(self.orders);
        self.senders.into_iter().for_each(|sender| sender.join().unwrap());
    }
}

fn connect(context: &Context, number: usize) -> Connection<'_> {
    context.connect(&format!("Bench {number:02X} 00"), ShareMode::Shared).unwrap()
}

async fn number(browser: &Browser, script: &str) -> u64 {
    browser.0.execute(&format!("return {script}"), vec![]).await.unwrap().as_u64().unwrap()
}

/// Until it holds; `false` when it does not come to hold.
async fn comes(holds: impl AsyncFn() -> bool) -> bool {
    tokio::time::timeout(PATIENCE, async { while !holds().await {} }).await.is_ok()
}

/// Sends a command that nobody else sends, and waits until it is seen: all that came before it was told then.
async fn marked(browser: &Browser, card: &mut Connection<'_>, mark: u8) {
    card.transmit(&[0x00, 0xA4, 0x04, 0x00, 0x05, 0xF0, 0x4D, 0x41, 0x52, mark]).unwrap();
    browser.sees(&format!("F0 4D 41 52 {mark:02X}")).await;
}

/// What is pressed is done and seen while all is flooded, at a card that is and at one that is not; the page goes on drawing, says that
/// it samples, and does not grow; what it has shown and what it has counted is all that was sent.
#[tokio::test]
async fn fifty_cards_and_a_flood_leave_the_page_at_hand() {
    let (driver, bench) = (Driver::start(), Bench::with(&["gids,name=Bench,pin=123456"; CARDS]));
    let browser = bench.open(&driver, "anna").await;
    browser.sees("50 readers").await;
    let watching = "
        window.drawn = 0;
        const draw = () => { window.drawn += 1; requestAnimationFrame(draw); };
        draw();
        window.told = 0;
        new MutationObserver((changes) => {
          for (const { addedNodes } of changes) for (const row of addedNodes) {
            if (row.nodeName === 'TR') window.told += row.matches('.missed') ? parseInt(row.textContent, 10) : 1;
          }
        }).observe(document.getElementById('rows'), { childList: true });";
    browser.0.execute(watching, vec![]).await.unwrap();
    let flood = Flooding::begin(&bench.up.socket());
    browser.sees("more, too many to show one by one").await;
    for (reader, button, seen) in [(0, "Wrong PIN", "2 of 3"), (LAST, "Pull out", "card is out"), (LAST, "Put in", "ready")] {
        let path = format!("//section[@id='reader-{reader}']//button[.='{button}']");
        let before = flood.sent();
        browser.settled(async || browser.0.wait().for_element(Locator::XPath(&path)).await?.click().await).await;
        browser.sees_in(&format!("#now-{reader}"), seen).await;
        assert!(flood.sent() > before, "{button}");
    }
    assert_eq!(bench.tries("Bench 00", "pin"), 2, "done, and not only drawn");
    // While thousands come in the page draws, again and again.
    for _ in 0..5 {
        let (drawn, sent) = (number(&browser, "window.drawn").await, flood.sent());
        let goes_on = async || number(&browser, "window.drawn").await > drawn + 5 && flood.sent() > sent + 1000;
        assert!(comes(goes_on).await, "after {sent} commands and {drawn} pictures one of them goes on no more");
        assert!(number(&browser, "document.getElementById('rows').rows.length").await <= MOST_ROWS);
    }
    flood.stop();
    let context = Context::establish_at(&bench.up.socket()).unwrap();
    let mut last = connect(&context, LAST);
    marked(&browser, &mut last, 1).await;
    let (told, began) = (number(&browser, "window.told").await, Instant::now());
    flood.burst(BURST);
    let rate = (SENDERS as u64 * BURST) as f64 / began.elapsed().as_secs_f64();
    marked(&browser, &mut last, 2).await;
    let told = number(&browser, "window.told").await - told;
    assert_eq!(told, SENDERS as u64 * BURST + 1, "shown and counted, with the mark ({rate:.0} commands a second)");
    assert!(number(&browser, "document.querySelectorAll('#rows tr').length").await <= MOST_ROWS);
    println!("{rate:.0} commands a second over {LAST} cards, all shown or counted");
    stays(&browser).await;
    drop(last);
    flood.end();
    browser.0.close().await.unwrap();
}

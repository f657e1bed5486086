//! What is typed at a real terminal decides whether anything is sent.

use std::io::Write;
use std::process::{Command, Stdio};

use nanobook_broker::fake::tws::TwsGateway;

use crate::support::{Done, Place, QUICK, REBALANCER, quick_paper};

/// Gives a program a terminal of its own, types a text once it has asked, and ends as it does.
const TERMINAL: &str = r#"
import os, pty, sys
question, text = sys.argv[1].encode(), sys.argv[2].encode().decode("unicode_escape").encode()
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[3], sys.argv[3:])
seen, typed = b"", False
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    seen += part
    if not typed and question in seen:
        typed = True
        os.write(terminal, text)
sys.stdout.buffer.write(seen)
sys.stdout.flush()
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
"#;

/// Types at the question of `rebalancer run`; `None`, with a word, where nothing gives a terminal.
fn type_at(place: &Place, question: &str, text: &str) -> Option<Done> {
    let script = place.path("terminal.py");
    std::fs::File::create(&script)
        .and_then(|mut file| file.write_all(TERMINAL.as_bytes()))
        .unwrap();
    let output = Command::new("python3")
        .current_dir(place.dir.path())
        .arg(script)
        .args([question, text, REBALANCER, "run"])
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => Some(Done::of(&output)),
        Err(e) => {
            eprintln!("skipped: there is no python3 to make a terminal with: {e}");
            None
        }
    }
}

fn paper() -> Place {
    let place = Place::new(&quick_paper(""));
    place.write("prices.csv", "symbol,price\nA,100\nB,50\n");
    place.weights(&[("A", 0.02), ("B", 0.02)]);
    place
}

#[test]
fn a_paper_account_asks_and_only_yes_sends() {
    for (text, code) in [
        ("y\\n", 0),
        ("yes\\n", 0),
        ("Y\\n", 0),
        ("n\\n", 4),
        ("\\n", 4),
        ("PAPER\\n", 4),
        // The end of the input, and Ctrl-C.
        ("\\x04", 4),
        ("\\x03", 130),
    ] {
        let place = paper();
        let Some(done) = type_at(&place, "[y/N]", text) else {
            return;
        };
        let done = done.expect(code);
        assert!(done.out.contains("paper"), "{done:?}");
        assert_eq!(place.journals().len(), usize::from(code == 0), "{done:?}");
        let held = place.broker().positions().unwrap().len();
        assert_eq!(held, if code == 0 { 2 } else { 0 }, "{text:?}: {done:?}");
        if code != 0 {
            assert!(done.out.contains("nothing was sent"), "{done:?}");
        }
    }
}

/// An account at Interactive Brokers whose money is real, as far as the gateway on loopback says.
fn live() -> (TwsGateway, Place) {
    let gateway = TwsGateway::start().unwrap();
    gateway.set_accounts(&["U7654321"]);
    let place = Place::new(&format!(
        "targets.file = \"weights.csv\"\nhours.gate = \"always\"\n\
         [account]\nbroker = \"ibkr\"\nid = \"U7654321\"\nmode = \"live\"\n\
         [ibkr]\naddress = \"{}\"\n{QUICK}[costs]\ncommission_min = 1.0",
        gateway.address()
    ));
    place.weights(&[("AAPL", 0.3), ("SPY", 0.3)]);
    (gateway, place)
}

#[test]
fn a_live_account_needs_its_id_typed_or_given() {
    for (text, code) in [
        ("U7654321\\n", 0),
        ("yes\\n", 4),
        ("y\\n", 4),
        ("U765432\\n", 4),
        ("u7654321\\n", 4),
        ("\\x04", 4),
        ("\\x03", 130),
    ] {
        let (gateway, place) = live();
        let Some(done) = type_at(&place, "type U7654321 to send", text) else {
            return;
        };
        let done = done.expect(code);
        assert!(done.out.contains("LIVE"), "{done:?}");
        assert_eq!(place.journals().len(), usize::from(code == 0), "{done:?}");
        drop(gateway);
    }
    // --yes is not enough without the id, and there is no terminal here.
    let (_gateway, place) = live();
    let refused = place.run(&["run", "--yes"]).expect(4);
    assert!(refused.err.contains("--account"), "{refused:?}");
    assert!(place.journals().is_empty());
    place
        .run(&["--account", "U7654321", "run", "--yes"])
        .expect(0);
}

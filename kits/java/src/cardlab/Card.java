package cardlab;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A reader with its card. The names of states and faults are those of {@code cardlab card}. */
public final class Card {
    private final Client client;
    private final int number;

    Card(Client client, int number) {
        this.client = client;
        this.number = number;
    }

    private String ask(String method, String what, Map<String, ?> body) {
        return client.ask(method, "/v1/readers/" + number + what, body);
    }

    private void post(String what, Map<String, ?> body) {
        ask("POST", what, body);
    }

    private static String escaped(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** Where the card is, its counters, faults that wait. */
    @SuppressWarnings("unchecked")
    public Map<String, Object> show() {
        return (Map<String, Object>) Json.parse(ask("GET", "", Map.of()));
    }

    /** The reader's name, as programs see it. */
    public String reader() {
        return (String) show().get("name");
    }

    /** Whether the card is in its reader. */
    public boolean isIn() {
        return "in".equals(show().get("card_is"));
    }

    /** Tries of the PIN that are left. */
    public int pinTries() {
        return tries("pin", "PIN");
    }

    /** Tries of the PUK that are left. */
    public int pukTries() {
        return tries("puk", "PUK");
    }

    /** Tries of the administrator key that are left. */
    public int adminTries() {
        return tries("admin_key", "administrator key");
    }

    private int tries(String key, String what) {
        if (!(show().get("card") instanceof Map<?, ?> card)) {
            throw new CardlabException("the card works, or waits for a touch: its tries are not told meanwhile");
        }
        if (!(card.get(key) instanceof Map<?, ?> tries)) {
            throw new CardlabException("this card counts no tries of its " + what);
        }
        return ((Long) tries.get("left")).intValue();
    }

    /** Puts the card in. */
    public void insert() {
        post("/insert", Map.of());
    }

    /** Pulls the card out, also in the middle of a command. */
    public void remove() {
        post("/remove", Map.of());
    }

    /** Unplugs the reader with its card in it. */
    public void unplug() {
        post("/unplug", Map.of());
    }

    /** Plugs the reader in; the card lies beside it. */
    public void plug() {
        post("/plug", Map.of());
    }

    /** Resets the card, as another program does. */
    public void reset() {
        reset(false, false);
    }

    /** Resets the card, {@code cold} by its power; with {@code usb} its reader, as the system does. */
    public void reset(boolean cold, boolean usb) {
        post("/reset", Map.of("cold", cold, "usb", usb));
    }

    /** Blocks the PIN, as if all its tries had been spent. */
    public void lock() {
        lock("pin");
    }

    /** Blocks the {@code pin}, the {@code puk} or the {@code admin} key, as if all its tries had been spent. */
    public void lock(String what) {
        state(what + "-blocked");
    }

    /** Brings the card to a state: {@code fresh}, {@code last-try}, {@code pin-blocked} and others. */
    public void state(String name) {
        ask("PUT", "/state", Map.of("state", name));
    }

    /** Leaves so many tries of the {@code pin}, the {@code puk} or the {@code admin} key. */
    public void setTries(String what, int left) {
        ask("PUT", "/state", Map.of(what + "_left", left));
    }

    /** Arms a fault: {@code fault("remove-after,ins=87")}. */
    public void fault(String fault) {
        post("/faults", Map.of("fault", fault));
    }

    /** Disarms all faults. */
    public void clearFaults() {
        ask("DELETE", "/faults", Map.of());
    }

    /** Touches the card that waits for it. */
    public void touch() {
        post("/touch", Map.of());
    }

    /** Says how the card is touched: {@code auto}, {@code never}, {@code wait}, {@code after=200ms}. */
    public void setTouch(String mode) {
        ask("PUT", "/touch", Map.of("touch", mode));
    }

    /** Says how long commands take: {@code off}, {@code yubikey-5}, or milliseconds: {@code any:10+sign:475}. */
    public void pace(String pace) {
        ask("PUT", "/pace", Map.of("pace", pace));
    }

    /** Waits until the card is {@code in}, {@code out}, {@code unplugged}, or waits for a {@code touch}; ten seconds at most. */
    public void waitFor(String what) {
        waitFor(what, Duration.ofSeconds(10));
    }

    /** Waits, so long at most. */
    public void waitFor(String what, Duration limit) {
        ask("GET", "/wait?card=" + escaped(what) + "&limit=" + limit.toMillis(), Map.of());
    }

    /** What came in, PINs and keys masked. */
    public List<Map<String, Object>> log() {
        return log("");
    }

    /** What came in of commands with {@code name} in their name. */
    @SuppressWarnings("unchecked")
    public List<Map<String, Object>> log(String name) {
        return (List<Map<String, Object>>) Json.parse(ask("GET", "/log" + (name.isEmpty() ? "" : "?name=" + escaped(name)), Map.of()));
    }

    /** Takes the last commands back; the card is reset. */
    public void undo(int count) {
        post("/undo", Map.of("count", count));
    }

    /** The card's whole state as text. */
    public String snapshot() {
        return ask("POST", "/snapshot", Map.of("secrets", "clear"));
    }

    /** Brings the card back to a snapshot. */
    public void restore(String text) {
        post("/restore", Map.of("text", text));
    }
}

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import cardlab.Card;
import cardlab.Cardlab;
import cardlab.CardlabException;
import cardlab.Readers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import javax.smartcardio.CardChannel;
import javax.smartcardio.CardException;
import javax.smartcardio.CardNotPresentException;
import javax.smartcardio.CardTerminal;
import javax.smartcardio.CommandAPDU;
import javax.smartcardio.TerminalFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** The kit, with javax.smartcardio as the program that uses the cards. */
class CardsTest {
    private static final byte[] PIV = HexFormat.of().parseHex("A000000308");

    private static List<CardTerminal> terminals() throws CardException {
        return TerminalFactory.getDefault().terminals().list();
    }

    private static List<String> names() throws CardException {
        return terminals().stream().map(CardTerminal::getName).toList();
    }

    private static CardChannel connect() throws CardException {
        var channel = terminals().get(0).connect("*").getBasicChannel();
        assertEquals(0x9000, channel.transmit(new CommandAPDU(0x00, 0xA4, 0x04, 0x00, PIV, 256)).getSW());
        return channel;
    }

    private static int verify(CardChannel channel, String pin) throws CardException {
        var data = Arrays.copyOf(pin.getBytes(), 8);
        Arrays.fill(data, pin.length(), 8, (byte) 0xFF);
        return channel.transmit(new CommandAPDU(0x00, 0x20, 0x00, 0x80, data)).getSW();
    }

    @Test
    @Cardlab
    void lockPullAndPutBack(Card card) throws Exception {
        var channel = connect();
        for (int left = 2; left >= 0; left--) {
            assertEquals(0x63C0 + left, verify(channel, "999999"));
        }
        assertEquals(0, card.pinTries());
        card.remove();
        assertThrows(CardException.class, () -> verify(channel, "123456"));
        assertThrows(CardNotPresentException.class, CardsTest::connect);
        card.insert();
        assertTrue(card.isIn());
        // Still blocked: the right PIN is not even compared.
        assertEquals(0x6983, verify(connect(), "123456"));
        card.undo(2);
        assertEquals(0, card.pinTries(), "SELECT and the refused VERIFY changed nothing");
        card.state("fresh");
        assertEquals(0x9000, verify(connect(), "123456"));
    }

    @Test
    @Cardlab({"nist-piv,name=One", "gids,name=Two"})
    void eachTestHasReadersOfItsOwn(Readers readers) throws Exception {
        assertEquals(List.of("One 00 00", "Two 01 00"), names());
        readers.get(0).unplug();
        assertEquals(List.of("Two 01 00"), names());
        try (var others = Readers.up("yubikey-5.4,name=Three");
                var visible = others.visible()) {
            assertEquals(List.of("Three 00 00"), names());
            assertEquals("Three 00 00", others.get(0).reader());
        }
        assertEquals(List.of("Two 01 00"), names());
        readers.get(0).plug();
        assertFalse(readers.get(0).isIn());
        var list = new ProcessBuilder("opensc-tool", "-l");
        list.environment().putAll(readers.environment());
        assertTrue(new String(list.start().getInputStream().readAllBytes()).contains("Two 01 00"));
    }

    @Test
    @Cardlab("gids")
    void faultsSnapshotsAndWaiting(Card card) {
        var before = card.snapshot();
        card.setTries("pin", 1);
        assertEquals(1, card.pinTries());
        card.restore(before);
        assertEquals(3, card.pinTries());
        card.fault("remove-before,nth=3");
        assertEquals(List.of("remove-before,nth=3"), ((Map<?, ?>) card.show().get("card")).get("faults"));
        card.clearFaults();
        var removing = CompletableFuture.runAsync(card::remove);
        card.waitFor("out");
        removing.join();
        card.insert();
        card.reset();
        card.lock("admin");
        assertEquals(0, card.adminTries());
    }

    @Test
    @Cardlab("yubikey-5.4")
    void touchPaceAndLog(Card card) throws Exception {
        card.setTouch("wait");
        card.pace("any:1");
        var channel = connect();
        var key = HexFormat.of().parseHex("010203040506070801020304050607080102030405060708");
        assertEquals(0x9000, authenticate(channel, key));
        // GENERATE ASYMMETRIC KEY PAIR in 9A: ECC P-256, no PIN, touched for each signature.
        var wanted = HexFormat.of().parseHex("AC09800111AA0101AB0102");
        assertEquals(0x9000, channel.transmit(new CommandAPDU(0x00, 0x47, 0x00, 0x9A, wanted, 256)).getSW());
        var digest = HexFormat.of().parseHex("7C2482008120" + "00".repeat(32));
        var signing = CompletableFuture.supplyAsync(() -> {
            try {
                return channel.transmit(new CommandAPDU(0x00, 0x87, 0x11, 0x9A, digest, 256)).getSW();
            } catch (CardException error) {
                throw new IllegalStateException(error);
            }
        });
        card.waitFor("touch");
        card.touch();
        assertEquals(0x9000, signing.join());
        assertEquals(1, card.log("GENERATE").size());
    }

    /** SP 800-73-4 part 2 section 3.2.4: a challenge of the card, answered with the management key. */
    private static int authenticate(CardChannel channel, byte[] key) throws Exception {
        var question = HexFormat.of().parseHex("7C028100");
        var asked = channel.transmit(new CommandAPDU(0x00, 0x87, 0x03, 0x9B, question, 256)).getData();
        var cipher = javax.crypto.Cipher.getInstance("DESede/ECB/NoPadding");
        cipher.init(javax.crypto.Cipher.ENCRYPT_MODE, new javax.crypto.spec.SecretKeySpec(key, "DESede"));
        var answer = HexFormat.of().parseHex("7C0A8208" + HexFormat.of().formatHex(cipher.doFinal(asked, 4, 8)));
        return channel.transmit(new CommandAPDU(0x00, 0x87, 0x03, 0x9B, answer)).getSW();
    }

    @Test
    void mistakesAreSaid() {
        assertSaid("no profile named 'sim'", () -> Readers.up("sim"));
        var readers = Readers.up("gids");
        var card = readers.get(0);
        assertSaid("no fault named 'fire", () -> card.fault("fire \"at\" \\ once"));
        assertSaid("it did not happen", () -> card.waitFor("out", Duration.ofMillis(1)));
        assertSaid("this card counts no tries of its PUK", card::pukTries);
        assertSaid("no state named 'door-blocked'", () -> card.lock("door"));
        readers.close();
        assertSaid("the readers do not answer", card::insert);
        assertThrows(CardException.class, CardsTest::names, "readers of another test are left");
    }

    private static void assertSaid(String words, org.junit.jupiter.api.function.Executable mistake) {
        var said = assertThrows(CardlabException.class, mistake).getMessage();
        assertTrue(said.contains(words), said);
    }

    /** Not run by itself: it fails. */
    @Cardlab("nist-piv")
    static class Failing {
        @BeforeEach
        void locked(Card card) {
            card.setTries("pin", 2);
        }

        @Test
        void wrong(Readers readers) throws CardException {
            assertEquals(2, readers.get(0).pinTries());
            assertEquals(0x9000, verify(connect(), "999999"));
        }
    }

    @Test
    void aFailureHasWhatCameIn(@TempDir Path directory) throws Exception {
        var outcome = new SummaryGeneratingListener();
        var before = System.err;
        var said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true));
        try {
            LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request().selectors(selectClass(Failing.class)).build(), outcome);
        } finally {
            System.setErr(before);
        }
        assertEquals(1, outcome.getSummary().getTestsFailedCount());
        var text = said.toString();
        for (var part : List.of("What came in at the cards of wrong(Readers):", "VERIFY, PIN", "< 63 C1", "tries left: 1")) {
            assertTrue(text.contains(part), text);
        }
        assertFalse(text.contains("39 39 39"), "the PIN is told");
        var file = directory.resolve("trace.jsonl");
        try (var readers = new Readers.Options().seed(7).trace(file).up()) {
            assertEquals("recorded in " + file, readers.trace());
        }
        assertTrue(Files.exists(file));
    }

    /** Makes readers and waits to be killed. */
    static class Maker {
        public static void main(String[] arguments) throws Exception {
            System.out.println(Readers.up().control());
            System.in.read();
        }
    }

    @Test
    void readersGoWithTheProcessThatMadeThem() throws Exception {
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var maker = new ProcessBuilder(java, "-cp", System.getProperty("java.class.path"), "CardsTest$Maker").start();
        var path = Path.of(maker.inputReader().readLine());
        try (var control = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            maker.destroyForcibly().waitFor();
            try {
                assertEquals(-1, control.read(ByteBuffer.allocate(1)), "closed by the end of the readers");
            } catch (IOException closed) {
                // Where nobody had taken the connection yet.
                assertTrue(closed.getMessage().contains("reset"), closed.getMessage());
            }
        }
        assertFalse(Files.exists(path.getParent()));
    }

    /** Shows readers to a JVM, and says what is wrong with it. */
    static class Shower {
        public static void main(String[] arguments) {
            try (var readers = Readers.up()) {
                readers.visible().close();
            } catch (CardlabException refused) {
                System.out.print(refused.getMessage());
            }
        }
    }

    @Test
    void aJvmThatWasStartedOtherwiseIsTold(@TempDir Path directory) throws Exception {
        var free = directory.resolve("free").toString();
        var taken = Files.createFile(directory.resolve("taken")).toString();
        assertShown("start the JVM with the variable PCSCLITE_CSOCK_NAME naming a path where nothing is", null, true);
        assertShown("is there already and not of this kit", taken, true);
        assertShown("start the JVM with --add-opens java.smartcardio/sun.security.smartcardio=ALL-UNNAMED", free, false);
        assertShown("", free, true);
        assertFalse(Files.isSymbolicLink(Path.of(free)), "nothing is left");
    }

    private static void assertShown(String words, String path, boolean open) throws Exception {
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var opened = open ? "--add-opens=java.smartcardio/sun.security.smartcardio=ALL-UNNAMED" : "-Dnothing";
        var classes = System.getProperty("java.class.path");
        var builder = new ProcessBuilder(java, opened, "-cp", classes, "CardsTest$Shower").redirectErrorStream(true);
        builder.environment().remove("PCSCLITE_CSOCK_NAME");
        if (path != null) {
            builder.environment().put("PCSCLITE_CSOCK_NAME", path);
        }
        var said = new String(builder.start().getInputStream().readAllBytes());
        assertTrue(words.isEmpty() ? said.isEmpty() : said.contains(words), said);
    }
}

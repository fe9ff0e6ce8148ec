package cardlab;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Readers of one's own, each with a card: {@code Readers.up("yubikey-5.4,9a=new:p256", "gids,pin-tries=5")}.
 *
 * <p>Needs the program {@code cardlab} on the path, or named by the variable {@code CARDLAB}. The readers go with
 * {@link #close} and with this process, however it ends. Programs started with {@link #environment} see them; this
 * process itself while they are {@link #visible}.
 */
public final class Readers implements AutoCloseable, Iterable<Card> {
    /** What {@code cardlab exec} runs: it says where the readers are, and ends when nobody holds its input any more. */
    private static final String UNTIL_CLOSED =
            "printf '%s\\n' \"$PCSCLITE_CSOCK_NAME\" \"$CARDLAB_CONTROL\" \"$XDG_CACHE_HOME\"; read _; exit 0";

    private final Process process;
    private final RandomAccessFile said;
    private final Path trace;
    private final Map<String, String> variables;
    private final List<Card> cards;

    /** What holds for all readers that are made together. */
    public static final class Options {
        private Long seed;
        private Path trace;

        /** Repeats every key, serial and challenge. */
        public Options seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** A file for every exchange: text or, by its ending, JSON lines (.jsonl) or for Wireshark (.pcapng). */
        public Options trace(Path trace) {
            this.trace = trace;
            return this;
        }

        /** Makes the readers. */
        public Readers up(String... cards) {
            return new Readers(this, cards.length == 0 ? new String[] {"nist-piv"} : cards);
        }
    }

    /** Makes readers, each with a card. */
    public static Readers up(String... cards) {
        return new Options().up(cards);
    }

    private Readers(Options options, String[] specifications) {
        var program = System.getenv().getOrDefault("CARDLAB", "cardlab");
        trace = options.trace;
        var command = new ArrayList<>(List.of(program, "exec", "--trace", trace == null ? "-" : trace.toString()));
        for (var card : specifications) {
            command.addAll(List.of("--card", card));
        }
        if (options.seed != null) {
            command.addAll(List.of("--seed", options.seed.toString()));
        }
        command.addAll(List.of("--", "sh", "-c", UNTIL_CLOSED));
        try {
            // A file whose name goes at once: what is written is there at once, and goes with the process.
            var file = File.createTempFile("cardlab-java-", "");
            try {
                said = new RandomAccessFile(file, "r");
                process = start(new ProcessBuilder(command).redirectError(file));
            } finally {
                file.delete();
            }
            // Not closed: the program has a pipe to write to as long as it lives.
            var output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            variables = new HashMap<>();
            for (var name : List.of("PCSCLITE_CSOCK_NAME", "CARDLAB_CONTROL", "XDG_CACHE_HOME")) {
                var line = output.readLine();
                if (line == null) {
                    end();
                    var why = words();
                    said.close();
                    throw new CardlabException(why.isEmpty() ? "cardlab did not start" : why);
                }
                variables.put(name, line);
            }
        } catch (IOException error) {
            throw new CardlabException("cardlab did not start: " + error.getMessage(), error);
        }
        var client = new Client(Path.of(control()));
        cards = IntStream.range(0, specifications.length).mapToObj(number -> new Card(client, number)).toList();
    }

    private static Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException error) {
            var none = "there is no program 'cardlab' on the path; install it, or name it with the variable CARDLAB";
            throw new CardlabException(none, error);
        }
    }

    /** The card of the reader with this number. */
    public Card get(int number) {
        return cards.get(number);
    }

    /** All cards, in the order in which they were asked for. */
    public List<Card> cards() {
        return cards;
    }

    @Override
    public Iterator<Card> iterator() {
        return cards.iterator();
    }

    /** Where programs find the readers: {@code PCSCLITE_CSOCK_NAME}. */
    public String socket() {
        return variables.get("PCSCLITE_CSOCK_NAME");
    }

    /** The socket of {@code cardlab card} and of others: {@code CARDLAB_CONTROL}. */
    public String control() {
        return variables.get("CARDLAB_CONTROL");
    }

    /** Variables for a program that is to see the readers: {@code builder.environment().putAll(readers.environment())}. */
    public Map<String, String> environment() {
        return Map.copyOf(variables);
    }

    /** What came in at all cards, as text; PINs and keys are masked. With {@link Options#trace}, where that is. */
    public String trace() {
        try {
            return trace == null ? words() : "recorded in " + trace;
        } catch (IOException error) {
            throw new CardlabException("what came in is not told: " + error.getMessage(), error);
        }
    }

    private String words() throws IOException {
        var bytes = new byte[Math.toIntExact(said.length())];
        said.seek(0);
        said.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8).strip();
    }

    /** As long as it is open, this process sees the readers. */
    public interface Visible extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Shows the readers to this process, for instance to {@code javax.smartcardio}. Those that were visible before
     * are so again when it is closed.
     *
     * <p>The JVM must have been started with the variable {@code PCSCLITE_CSOCK_NAME} naming a path where nothing
     * is, and with {@code --add-opens java.smartcardio/sun.security.smartcardio=ALL-UNNAMED}.
     */
    public Visible visible() {
        return Stage.show(Path.of(socket()));
    }

    /** Takes the readers away. */
    @Override
    public void close() {
        try {
            end();
            said.close();
        } catch (IOException error) {
            throw new CardlabException("the readers do not end: " + error.getMessage(), error);
        }
    }

    private void end() throws IOException {
        process.getOutputStream().close();
        try {
            process.waitFor();
        } catch (InterruptedException interrupted) {
            process.destroy();
            Thread.currentThread().interrupt();
        }
    }
}

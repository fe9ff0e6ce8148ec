package cardlab;

import java.io.IOException;
import java.lang.reflect.InaccessibleObjectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import javax.smartcardio.TerminalFactory;

/**
 * The one path where this process looks for readers: a link to those of the moment. libpcsclite reads its variable
 * once a process, and a JVM cannot set it, so it is set from outside.
 */
final class Stage {
    private static final String VARIABLE = "PCSCLITE_CSOCK_NAME";

    private Stage() {}

    /** Lets the path point to a socket, until it is closed. */
    static synchronized Readers.Visible show(Path socket) {
        var path = path();
        try {
            // A link to nothing is one that a killed run has left.
            var before = Files.exists(path) ? Files.readSymbolicLink(path) : null;
            point(path, socket);
            try {
                forget();
                // The factory that Java makes when it is first asked stays; without readers it would be one without PC/SC.
                TerminalFactory.getDefault();
                TerminalFactory.getInstance("PC/SC", null);
            } catch (ReflectiveOperationException | InaccessibleObjectException error) {
                point(path, before);
                throw new CardlabException("Java keeps one PC/SC context for ever; to end it with its readers, start the JVM "
                        + "with --add-opens java.smartcardio/sun.security.smartcardio=ALL-UNNAMED", error);
            } catch (NoSuchAlgorithmException error) {
                point(path, before);
                throw new CardlabException("Java does not see the readers: " + error.getCause(), error);
            }
            return () -> hide(path, before);
        } catch (IOException error) {
            throw new CardlabException(path + " cannot be pointed to the readers: " + error, error);
        }
    }

    private static synchronized void hide(Path path, Path before) {
        try {
            point(path, before);
            forget();
            if (before != null) {
                TerminalFactory.getInstance("PC/SC", null);
            }
        } catch (IOException | ReflectiveOperationException | NoSuchAlgorithmException error) {
            throw new CardlabException(path + " cannot be pointed to the readers of before: " + error, error);
        }
    }

    private static Path path() {
        var name = System.getenv(VARIABLE);
        if (name == null || name.isEmpty()) {
            throw new CardlabException("start the JVM with the variable " + VARIABLE + " naming a path where nothing is, such as "
                    + "target/cardlab: Java cannot set it by itself");
        }
        var path = Path.of(name).toAbsolutePath();
        if (Files.exists(path) && !Files.isSymbolicLink(path)) {
            throw new CardlabException(name + ", which " + VARIABLE + " names, is there already and not of this kit: "
                    + "start the JVM with a path where nothing is");
        }
        return path;
    }

    private static void point(Path path, Path socket) throws IOException {
        if (socket == null) {
            Files.deleteIfExists(path);
            return;
        }
        var next = path.resolveSibling(path.getFileName() + ".new");
        Files.deleteIfExists(next);
        Files.createSymbolicLink(next, socket);
        Files.move(next, path, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Java's one context, and the terminals that were found with it, belong to readers that are no more. */
    private static void forget() throws ReflectiveOperationException {
        var terminals = Class.forName("sun.security.smartcardio.PCSCTerminals");
        var context = terminals.getDeclaredField("contextId");
        context.setAccessible(true);
        context.setLong(null, 0);
        var known = terminals.getDeclaredField("terminals");
        known.setAccessible(true);
        synchronized (terminals) {
            ((Map<?, ?>) known.get(null)).clear();
        }
    }
}

package cardlab;

/** What cardlab refused, in its words. */
public final class CardlabException extends RuntimeException {
    private static final long serialVersionUID = 1;

    CardlabException(String message) {
        super(message);
    }

    CardlabException(String message, Throwable cause) {
        super(message, cause);
    }
}

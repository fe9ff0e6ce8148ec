package cardlab;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/** Makes the readers of {@link Cardlab}; a test that fails prints what came in at its cards. */
public final class CardlabExtension
        implements BeforeEachCallback, AfterTestExecutionCallback, AfterEachCallback, ParameterResolver {
    private static final ExtensionContext.Namespace OURS = ExtensionContext.Namespace.create(CardlabExtension.class);

    private record Shown(Readers readers, Readers.Visible visible) {}

    @Override
    public void beforeEach(ExtensionContext context) {
        var cards = AnnotationSupport.findAnnotation(context.getRequiredTestMethod(), Cardlab.class)
                .or(() -> AnnotationSupport.findAnnotation(context.getRequiredTestClass(), Cardlab.class))
                .orElseThrow();
        var readers = Readers.up(cards.value());
        try {
            context.getStore(OURS).put(Shown.class, new Shown(readers, readers.visible()));
        } catch (RuntimeException refused) {
            readers.close();
            throw refused;
        }
    }

    @Override
    public void afterTestExecution(ExtensionContext context) {
        if (context.getExecutionException().isPresent()) {
            System.err.println("What came in at the cards of " + context.getDisplayName() + ":\n" + shown(context).readers.trace());
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        var shown = context.getStore(OURS).remove(Shown.class, Shown.class);
        if (shown != null) {
            shown.readers.close();
            shown.visible.close();
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        var type = parameter.getParameter().getType();
        return type == Card.class || type == Readers.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        var readers = shown(context).readers;
        return parameter.getParameter().getType() == Card.class ? readers.get(0) : readers;
    }

    private static Shown shown(ExtensionContext context) {
        var shown = context.getStore(OURS).get(Shown.class, Shown.class);
        if (shown == null) {
            throw new CardlabException("cards are there from the methods before each test to those after it, not in constructors");
        }
        return shown;
    }
}

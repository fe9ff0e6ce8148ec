package cardlab;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives a test, or each test of a class, readers of its own, each with a card such as
 * {@code "yubikey-5.4,9a=new:p256"}:
 *
 * <pre>{@code
 * @Test
 * @Cardlab("yubikey-5.4,9a=new:p256")
 * void login(Card card) {
 *     card.state("last-try");
 *     // .. the program under test enters a wrong PIN
 *     assertEquals(0, card.pinTries());
 * }
 * }</pre>
 *
 * Parameters of the test, and of methods before and after it, may be a {@link Card} (the first) or {@link Readers}.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
@ExtendWith(CardlabExtension.class)
public @interface Cardlab {
    /** A card for each reader. */
    String[] value() default "nist-piv";
}

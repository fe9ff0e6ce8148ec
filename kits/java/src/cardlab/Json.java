package cardlab;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What is needed of JSON (RFC 8259), which the JDK does not have. Objects are maps, arrays lists, numbers {@link Long}
 * or {@link Double}.
 */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** The value of a text. */
    static Object parse(String text) {
        var json = new Json(text);
        var value = json.value();
        if (json.next() != 0) {
            throw json.wrong();
        }
        return value;
    }

    /** An object of texts, numbers and truths. */
    static String write(Map<String, ?> object) {
        var members = object.entrySet().stream().map(m -> quoted(m.getKey()) + ":" + written(m.getValue()));
        return members.collect(Collectors.joining(",", "{", "}"));
    }

    private static String written(Object value) {
        return value instanceof String s ? quoted(s) : String.valueOf(value);
    }

    private static String quoted(String text) {
        var out = new StringBuilder("\"");
        text.chars().forEach(c -> {
            if (c == '"' || c == '\\') {
                out.append('\\').append((char) c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", c));
            } else {
                out.append((char) c);
            }
        });
        return out.append('"').toString();
    }

    private Object value() {
        return switch (next()) {
            case '{' -> object();
            case '[' -> array();
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, Object> object() {
        var members = new LinkedHashMap<String, Object>();
        at++;
        for (var more = next() != '}'; more; more = comma('}')) {
            next();
            var name = string();
            expect(':');
            members.put(name, value());
        }
        expect('}');
        return members;
    }

    private List<Object> array() {
        var values = new ArrayList<>();
        at++;
        for (var more = next() != ']'; more; more = comma(']')) {
            values.add(value());
        }
        expect(']');
        return values;
    }

    /** Whether another value follows; if none, the end is next. */
    private boolean comma(char end) {
        if (next() == end) {
            return false;
        }
        expect(',');
        return true;
    }

    private String string() {
        expect('"');
        var out = new StringBuilder();
        for (char c = read(); c != '"'; c = read()) {
            out.append(c == '\\' ? escaped() : c);
        }
        return out.toString();
    }

    private char escaped() {
        char c = read();
        return switch (c) {
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> (char) Integer.parseInt("" + read() + read() + read() + read(), 16);
            default -> c;
        };
    }

    private Object number() {
        int from = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        var digits = text.substring(from, at);
        try {
            return digits.matches("-?\\d+") ? (Object) Long.valueOf(digits) : (Object) Double.valueOf(digits);
        } catch (NumberFormatException error) {
            throw wrong();
        }
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw wrong();
        }
        at += word.length();
        return value;
    }

    /** The next character that is no space, which is not taken; 0 at the end. */
    private char next() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        return at < text.length() ? text.charAt(at) : 0;
    }

    private void expect(char c) {
        if (next() != c) {
            throw wrong();
        }
        at++;
    }

    private char read() {
        if (at == text.length()) {
            throw wrong();
        }
        return text.charAt(at++);
    }

    private CardlabException wrong() {
        return new CardlabException("this is no JSON at character " + at + ": " + text);
    }
}

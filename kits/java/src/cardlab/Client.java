package cardlab;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** HTTP on the control socket, an exchange a connection. */
record Client(Path socket) {
    /** The answer's text. */
    String ask(String method, String path, Map<String, ?> body) {
        var sent = Json.write(body).getBytes(StandardCharsets.UTF_8);
        // 1.0: the answer is what comes until the connection ends.
        var head = method + " " + path + " HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: " + sent.length + "\r\n\r\n";
        String answer;
        try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            var request = new ByteArrayOutputStream();
            request.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
            request.writeBytes(sent);
            var bytes = ByteBuffer.wrap(request.toByteArray());
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            answer = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException error) {
            throw new CardlabException("the readers do not answer: " + error.getMessage(), error);
        }
        var parts = answer.split("\r\n\r\n", 2);
        var status = parts[0].split(" ", 3);
        if (parts.length != 2 || status.length < 2) {
            throw new CardlabException("the readers do not answer: " + answer);
        }
        if (!status[1].equals("200")) {
            var problem = parts[1].startsWith("{") ? Json.parse(parts[1]) : null;
            throw new CardlabException(problem instanceof Map<?, ?> m && m.get("message") instanceof String s ? s : parts[1]);
        }
        return parts[1];
    }
}

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Java's own client: `Fetch.java URL COUNT` asks COUNT times and prints how many answers were 200 with `woven`. */
public class Fetch {
    public static void main(String[] arguments) throws Exception {
        // By default it offers HTTP/2 in each first request, as an upgrade.
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0])).build();
        int good = 0;
        for (int count = Integer.parseInt(arguments[1]); count > 0; count--) {
            var response = client.send(request, BodyHandlers.ofString());
            if (response.statusCode() == 200 && response.body().equals("woven\n")) good++;
        }
        System.out.println(good);
    }
}

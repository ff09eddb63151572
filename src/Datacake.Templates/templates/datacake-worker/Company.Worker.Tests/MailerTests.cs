using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Testing;

namespace Company.Worker.Tests;

public sealed class MailerTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Letter_that_one_node_adds_is_sent_once_by_another_node()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Token);
        await using (var db = new PostContext(cluster[0].Node))
        {
            db.Letters.Add(new Letter { To = "reader@example.org", Text = "Your cake is ready." });
            await db.SaveChangesAsync(Consistency.All, Token);
        }

        var sent = new List<string>();
        for (int i = 0; i < 2; i++)
        {
            await using var db = new PostContext(cluster[1].Node);
            await Mailer.SendAllAsync(db, letter =>
            {
                sent.Add(letter.To);
                return Task.CompletedTask;
            }, Token);
        }

        Assert.Equal(["reader@example.org"], sent);
    }
}

using Datacake.Data;
using Datacake.Hosting;

namespace Company.Worker;

/// <summary>Sends the letters that any node has added.</summary>
public sealed class Mailer(IDatacakeContextFactory<PostContext> contexts, ILogger<Mailer> logger) : BackgroundService
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>Sends the letters that were not sent yet, and returns their number. A letter may be sent again if the node fails between sending and saving.</summary>
    public static async Task<int> SendAllAsync(PostContext db, Func<Letter, Task> send, CancellationToken cancellationToken)
    {
        int count = 0;
        foreach (var letter in await db.Letters.Where(letter => letter.SentAt == null).Take(100).ToListAsync(cancellationToken))
        {
            await send(letter);
            letter.SentAt = DateTimeOffset.UtcNow;
            await db.SaveChangesAsync(cancellationToken);
            count++;
        }
        return count;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause);
        do
        {
            await using var db = contexts.CreateContext();
            int count = await SendAllAsync(db, SendAsync, stoppingToken);
            logger.LogInformation("Sent {Count} letters.", count);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    Task SendAsync(Letter letter)
    {
        // Replace this by a call of a mail server.
        logger.LogInformation("To {To}: {Text}", letter.To, letter.Text);
        return Task.CompletedTask;
    }
}

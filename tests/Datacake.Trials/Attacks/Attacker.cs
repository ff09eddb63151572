using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Links;
using Datacake.Rpc;
using MessagePack;

namespace Datacake.Trials.Attacks;

/// <summary>A process that attacks a node until its standard input ends and then prints its number of attacks per second.</summary>
static class Attacker
{
    const int MaxDatagramLength = 1_400;

    static readonly Random Random = new(1);

    /// <summary>The attacks, each with its maximum rate per second and its parallelism.</summary>
    static readonly Dictionary<string, (double Rate, int Parallel, Func<Target, CancellationToken, Task> AttackAsync)> Attacks = new()
    {
        ["garbage"] = (2_500, 16, GarbageAsync),
        ["wrong secrets"] = (500, 8, WrongSecretAsync),
        ["unfinished handshakes"] = (500, 400, UnfinishedAsync),
        ["datagrams"] = (10_000, 2, DatagramAsync),
        ["long reads"] = (16, 4, ReadAsync),
        ["false counts"] = (3, 2, FalseCountAsync),
        ["full pulls"] = (20, 4, PullAsync),
        ["small messages"] = (50, 2, SmallMessagesAsync),
    };

    public static IReadOnlyCollection<string> Kinds => Attacks.Keys;

    /// <summary>Starts an attacker in its own process.</summary>
    public static Process Start(string kind, string address, string secret) => Process.Start(new ProcessStartInfo(
        Path.Combine(AppContext.BaseDirectory, "Datacake.Trials"), ["attacker", kind, address, secret])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
    })!;

    public static async Task<int> RunAsync(string kind, string address, string secret)
    {
        if (!Attacks.TryGetValue(kind, out var attack))
        {
            Console.Error.WriteLine($"The attack '{kind}' does not exist. The attacks are: {string.Join(", ", Kinds)}.");
            return 2;
        }
        using var over = new CancellationTokenSource();
        await using var target = new Target(address, secret);
        long start = TimeProvider.System.GetTimestamp(), done = 0;
        var attacking = Task.WhenAll(Enumerable.Range(0, attack.Parallel).Select(_ => Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                // All parallel attacks together keep the rate.
                double due = Interlocked.Increment(ref done) / attack.Rate, now = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
                if (due > now)
                    await Task.Delay(TimeSpan.FromSeconds(due - now), over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                try
                {
                    await attack.AttackAsync(target, over.Token);
                }
                catch (Exception e) when (e is IOException or SocketException or RpcException or OperationCanceledException or ObjectDisposedException)
                {
                    // The node has refused the attack, as it should.
                }
            }
        })));
        while (await Console.In.ReadLineAsync() is not null)
        {
        }
        double rate = done / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        await over.CancelAsync();
        await attacking;
        Console.WriteLine(rate.ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    static async Task GarbageAsync(Target target, CancellationToken cancellationToken)
    {
        using var client = await target.ConnectAsync(cancellationToken);
        await client.GetStream().WriteAsync(RandomBytes(200), cancellationToken);
        await client.GetStream().ReadAtLeastAsync(new byte[1_000], 1_000, throwOnEndOfStream: false, cancellationToken);
    }

    static async Task WrongSecretAsync(Target target, CancellationToken cancellationToken)
    {
        await using var channel = new RpcChannel(target.Address, new RpcChannelOptions { ClusterSecret = "a secret of somebody else" });
        (await channel.CallAsync("gossip", "exchange", default, default, cancellationToken)).Dispose();
    }

    static async Task UnfinishedAsync(Target target, CancellationToken cancellationToken)
    {
        using var client = await target.ConnectAsync(cancellationToken);
        await client.GetStream().WriteAsync("DCR"u8.ToArray(), cancellationToken);
        await client.GetStream().ReadAtLeastAsync(new byte[1_000], 1_000, throwOnEndOfStream: false, cancellationToken);
    }

    static async Task DatagramAsync(Target target, CancellationToken cancellationToken)
    {
        byte[] datagram = RandomBytes(MaxDatagramLength);
        datagram[0] = 1;        // the version of sealed datagrams
        await target.Datagrams.SendAsync(datagram, IPEndPoint.Parse(target.Address), cancellationToken);
    }

    /// <summary>Reads many large documents as a member, without receiving the answers.</summary>
    static async Task ReadAsync(Target target, CancellationToken cancellationToken) =>
        await target.Member.SendAsync(target.Member.ReadOfAll(), cancellationToken);

    /// <summary>Announces much data as a member, in a message that contains little.</summary>
    static async Task FalseCountAsync(Target target, CancellationToken cancellationToken)
    {
        const int Bytes = 16 * 1024 * 1024, MutationsKind = 2;
        using var message = new PooledWriter();
        Record.Encode(0, message, static (ref writer, _) =>
        {
            writer.Write(MutationsKind);
            writer.WriteArrayHeader(Bytes - 100);
        });
        message.GetSpan(Bytes)[..Bytes].Fill(0xC0);
        message.Advance(Bytes);
        MessageChecksum.Append(message, 0);
        await using var member = new FaultyMember(target);
        await member.SendAsync(message.Written.ToArray(), cancellationToken);
        await member.EndAsync(cancellationToken);
    }

    /// <summary>Requests everything as a member, again and again.</summary>
    static async Task PullAsync(Target target, CancellationToken cancellationToken) =>
        await target.Member.SendAsync(target.Member.FullPull(), cancellationToken);

    /// <summary>Opens streams as a member, and sends empty messages that nobody reads yet.</summary>
    static async Task SmallMessagesAsync(Target target, CancellationToken cancellationToken)
    {
        await using var stream = await target.Channel.OpenStreamAsync(StoreHost.OwnServiceName, SessionService.SessionMessage, default, cancellationToken);
        for (int i = 0; i < 1_000; i++)
            await stream.WriteAsync(default, cancellationToken);
    }

    static byte[] RandomBytes(int maxLength)
    {
        lock (Random)
        {
            byte[] bytes = new byte[Random.Next(1, maxLength)];
            Random.NextBytes(bytes);
            return bytes;
        }
    }
}

using System.Net;
using Datacake.Node.Gossip;
using Datacake.Node.Network;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Node.Tests;

/// <summary>The seed endpoints that are dialed in addition to the peers that gossip chooses, and the targets of datagrams to a name.</summary>
public sealed class SeedDialsTests
{
    static readonly GossipId Peer = new("2", 5, IPEndPoint.Parse("10.0.0.2:7001"));
    static readonly ExchangeResult Nobody = new(ExchangeOutcome.Silent, Failure: "No answer.");

    string[] _addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_endpoint_of_a_name_is_dialed_once_and_then_less_and_less_often(bool isRefused)
    {
        var result = isRefused ? new ExchangeResult(ExchangeOutcome.Refused, Peer) : Nobody;
        var seeds = await NewSeedsAsync();
        var dialed = Dial(seeds, rounds: 3, result);
        Assert.Equal(3, dialed.Distinct().Count());
        // In 300 rounds, the intervals between dials of each of the three endpoints grow as 2, 4, 8, … 64, 64, 64.
        Assert.InRange(Dial(seeds, rounds: 300, result).Count, 20, 45);
    }

    [Fact]
    public async Task Endpoint_at_which_a_node_answered_is_not_redialed_while_the_node_runs()
    {
        var seeds = await NewSeedsAsync();
        foreach (var target in seeds.Targets)
            seeds.Note(target, new ExchangeResult(ExchangeOutcome.Answered, Peer));
        Assert.Null(seeds.NextToTry(_ => true));
        Assert.NotNull(seeds.NextToTry(_ => false));
    }

    [Fact]
    public async Task Endpoint_at_which_the_node_found_itself_is_not_redialed()
    {
        var seeds = await NewSeedsAsync();
        seeds.Note(seeds.Targets[0], new ExchangeResult(ExchangeOutcome.Itself, Peer));
        Assert.Equal(["10.0.0.2:7001", "10.0.0.3:7001"], seeds.Targets.Select(target => target.Address));
        Assert.DoesNotContain("10.0.0.1:7001", Dial(seeds, rounds: 100, Nobody));
    }

    [Fact]
    public async Task Name_with_one_endpoint_is_preferred_over_a_name_with_many()
    {
        var seeds = new Seeds(["cake:7001", "shop-1:7001"], ResolveAsync, TimeProvider.System, NullLogger.Instance);
        await seeds.ResolveAsync(Stop);
        Assert.Equal(["shop-1", "cake", "cake"], seeds.Targets.OrderBy(target => target.Address, StringComparer.Ordinal).Select(target => target.ServerName));
        Assert.Equal(4, seeds.Contacts.Count);
    }

    [Fact]
    public async Task Datagram_goes_to_the_current_address_of_a_name()
    {
        var time = new VirtualTime();
        var endpoints = new UdpEndpoints(ResolveAsync, time);
        var identity = IPEndPoint.Parse("127.0.1.1:7001");
        var named = new GossipTarget(identity, "cake:7001");
        Assert.Equal("10.0.0.1:7001", await FindAsync(named));

        _addresses = ["10.0.0.9"];
        Assert.Equal("10.0.0.1:7001", await FindAsync(named));
        endpoints.Failed(named);
        Assert.Equal("10.0.0.9:7001", await FindAsync(named));
        _addresses = ["10.0.0.8"];
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("10.0.0.8:7001", await FindAsync(named));
        _addresses = [];
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("10.0.0.8:7001", await FindAsync(named));

        // An IP address is not resolved, and a different port is a different service.
        Assert.Equal("127.0.1.1:7001", await FindAsync(new GossipTarget(identity, "10.0.0.7:7001")));
        Assert.Equal("127.0.1.1:7001", await FindAsync(new GossipTarget(identity, "cake:80")));

        async Task<string> FindAsync(GossipTarget target) => (await endpoints.FindAsync(target, Stop)).ToString();
    }

    static List<string> Dial(Seeds seeds, int rounds, ExchangeResult result)
    {
        var dialed = new List<string>();
        for (var round = 0; round < rounds; round++)
        {
            if (seeds.NextToTry(_ => true) is not { } target)
                continue;
            dialed.Add(target.Address);
            seeds.Note(target, result);
        }
        return dialed;
    }

    async Task<Seeds> NewSeedsAsync()
    {
        var seeds = new Seeds(["cake:7001"], ResolveAsync, TimeProvider.System, NullLogger.Instance);
        await seeds.ResolveAsync(Stop);
        return seeds;
    }

    Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
        => Task.FromResult((host == "shop-1" ? ["10.0.0.1"] : _addresses).Select(IPAddress.Parse).ToArray());
}

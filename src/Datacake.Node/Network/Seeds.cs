using System.Net;
using System.Net.Sockets;
using Datacake.Node.Diagnostics;
using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Network;

/// <summary>
/// The configured seeds, the endpoints to which their host names were last resolved, and the outcomes of the dials of these endpoints.
/// Thread-safe.
/// </summary>
sealed class Seeds(IReadOnlyList<string> seeds, HostResolver resolve, TimeProvider time, ILogger logger)
{
    /// <summary>The maximum number of rounds between two dials of an endpoint that does not answer.</summary>
    const int LongestWait = 64;

    readonly Lock _lock = new();
    readonly Seed[] _seeds = [.. seeds.Select(seed => new Seed(seed))];     // this and all fields below: under the lock
    readonly LastingConditions _conditions = new(time);
    Dictionary<IPEndPoint, Dial> _dials = [];
    long _round;

    sealed class Seed(string text)
    {
        public string Text => text;

        public IReadOnlyList<IPEndPoint> Endpoints { get; set; } = [];

        public string? Failure { get; set; }
    }

    sealed class Dial(GossipTarget target)
    {
        public GossipTarget Target => target;

        public SeedContactState State { get; set; } = SeedContactState.NotReached;

        public GossipId? Peer { get; set; }

        public string? Failure { get; set; }

        public int Failures { get; set; }

        public long NextRound { get; set; }
    }

    /// <summary>Gets the seeds as they were configured.</summary>
    public IReadOnlyList<string> Addresses => seeds;

    /// <summary>Gets the endpoints of the seeds, except for those at which this node has reached itself.</summary>
    public IReadOnlyList<GossipTarget> Targets
    {
        get
        {
            lock (_lock)
                return [.. _dials.Values.Where(dial => dial.State != SeedContactState.Itself).Select(dial => dial.Target)];
        }
    }

    public IReadOnlyList<SeedContact> Contacts
    {
        get
        {
            lock (_lock)
                return [.. _seeds.SelectMany(ContactsOf)];
        }
    }

    /// <summary>Resolves all host names again. A name that cannot be resolved keeps its previous endpoints.</summary>
    public async Task ResolveAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_seeds.Select(seed => ResolveAsync(seed, cancellationToken))).ConfigureAwait(false);
        lock (_lock)
        {
            var dials = new Dictionary<IPEndPoint, Dial>();
            // If several names resolve to the same endpoint, the name with the fewest endpoints is used, because it is the most specific.
            foreach (var seed in _seeds.OrderBy(seed => seed.Endpoints.Count))
                foreach (var endpoint in seed.Endpoints)
                    dials.TryAdd(endpoint, _dials.GetValueOrDefault(endpoint) ?? new Dial(TargetOf(seed, endpoint)));
            _dials = dials;
        }
    }

    /// <summary>Records the result of a dial. Does nothing if the target is not an endpoint of a seed.</summary>
    public void Note(GossipTarget target, ExchangeResult result)
    {
        lock (_lock)
        {
            if (!_dials.TryGetValue(target.Endpoint, out var dial) || dial.Target != target)
                return;
            dial.State = result.Outcome switch
            {
                ExchangeOutcome.Answered => SeedContactState.Reached,
                ExchangeOutcome.Refused => SeedContactState.Refused,
                ExchangeOutcome.Itself => SeedContactState.Itself,
                _ => SeedContactState.NotReached,
            };
            dial.Peer = result.Peer;
            dial.Failure = result.Failure;
            dial.Failures = dial.State is SeedContactState.NotReached or SeedContactState.Refused ? Math.Min(dial.Failures + 1, 16) : 0;
        }
    }

    /// <summary>
    /// Returns the endpoint to dial in this round in addition to the targets that gossip chooses, or null. It is one at which no node was
    /// reached, or whose node is no longer up. Each endpoint is dialed at once and then less and less often, so that all are tried and none
    /// is dialed in every round.
    /// </summary>
    /// <param name="isAlive">Returns true for the nodes that are up.</param>
    public GossipTarget? NextToTry(Func<GossipId, bool> isAlive)
    {
        lock (_lock)
        {
            _round++;
            var next = _dials.Values
                .Where(dial => dial.NextRound <= _round && dial.State != SeedContactState.Itself
                    && (dial.State != SeedContactState.Reached || (dial.Peer is { } peer && !isAlive(peer))))
                .MinBy(dial => dial.NextRound);
            if (next is null)
                return null;
            next.NextRound = _round + Math.Min(1L << next.Failures, LongestWait);
            return next.Target;
        }
    }

    async Task ResolveAsync(Seed seed, CancellationToken cancellationToken)
    {
        try
        {
            var endpoints = await HostNames.ResolveAsync(seed.Text, resolve, cancellationToken).ConfigureAwait(false);
            lock (_lock)
            {
                seed.Endpoints = endpoints;
                seed.Failure = null;
                _conditions.End(seed.Text);
            }
        }
        catch (SocketException failure)
        {
            lock (_lock)
            {
                seed.Failure = failure.Message;
                if (_conditions.Note(seed.Text, out var count, _ => NodeLog.SeedResolved(logger, seed.Text)))
                    NodeLog.SeedNotResolved(logger, seed.Text, failure.Message, count);
            }
        }
    }

    IEnumerable<SeedContact> ContactsOf(Seed seed)
        => seed.Endpoints.Count == 0
            ? [new SeedContact(seed.Text, null, SeedContactState.NotResolved, null, seed.Failure)]
            : from endpoint in seed.Endpoints
              let dial = _dials.GetValueOrDefault(endpoint)
              select new SeedContact(seed.Text, endpoint, dial?.State ?? SeedContactState.NotReached, dial?.Peer?.NodeId, dial?.Failure);

    static GossipTarget TargetOf(Seed seed, IPEndPoint endpoint)
        => new(endpoint, endpoint.ToString(), NodeAddress.IsName(seed.Text) ? NodeAddress.HostOf(seed.Text) : null);
}

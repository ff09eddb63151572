using System.Net.Sockets;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Options;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency.Joining;

/// <summary>The joining of a fresh store: decides when the store must form a cluster [R12], and describes what it is waiting for.</summary>
/// <param name="host">The node, as the store sees it.</param>
/// <param name="inquiry">What the other nodes have said about whether they hold the store; null for the node's own store, which all nodes hold.</param>
/// <param name="replica">The replica of the store.</param>
/// <param name="options">The settings of the store.</param>
sealed class ClusterJoiner(StoreHost host, HolderInquiry? inquiry, Replica replica, ReplicatedStoreOptions options)
{
    readonly DatacakeNode _node = host.Node;

    /// <summary>
    /// The time that a node waits for other nodes to appear under a seed name that so far stands for the node itself alone.
    /// </summary>
    static readonly TimeSpan SeedNameGracePeriod = TimeSpan.FromSeconds(3);

    const int MaxFailures = 3;

    readonly long _started = host.Node.TimeProvider.GetTimestamp();

    /// <summary>
    /// True if the store may form the cluster as soon as it opens, because it knows no node and no node can know it: the node has no seeds,
    /// and its address is new. At an address from before, members could still call, and tell that a cluster exists. So could its seeds, even if
    /// <see cref="ReplicatedStoreOptions.FormCluster"/> is set: such a setting tends to stay when a disk is replaced.
    /// </summary>
    public bool MayFormAtOnce => _node.Seeds.Count == 0 && _node.HasNewAddress;

    /// <summary>Returns true if the store must form the cluster. Called on the commit loop at each tick.</summary>
    public bool MustForm()
    {
        var answers = Answers();
        bool mayBeAlone = _node.Seeds.Count > 0 && answers.All(answer => answer == _node.Id) && _node.Seeds.Any(seed => !seed.Equals(_node.Address, StringComparison.Ordinal));
        if (mayBeAlone && !options.FormCluster && _node.TimeProvider.GetElapsedTime(_started) < SeedNameGracePeriod)
            return false;
        return CountFreshNodes() >= options.ExpectedNodes && ClusterFormationRule.MustForm(replica, options.FormCluster, OfHolders(answers));
    }

    /// <summary>Returns the reason why the store has not joined, and what to do about it.</summary>
    public JoinObstacle Describe()
    {
        if (replica.IsWaitingForRoll)
        {
            return new(
                $"nodes {string.Join(", ", replica.AwaitedMembers)} may remember an earlier life of node {_node.Id}, and must be asked first",
                "Start them, or retire those that are gone for good.");
        }
        if (replica.Sessions.Keys.Where(replica.HasRun).ToArray() is { Length: > 0 } sources)
        {
            return new(
                $"it copies the data of the cluster from the members in session (nodes {string.Join(", ", sources)})",
                "Wait. If no more documents arrive, check the network to these nodes, and their logs.");
        }
        string refusals = string.Join("; ", replica.Refusals.Select(refusal => $"node {refusal.Key}: {refusal.Value.Reason}"));
        if (replica.Sessions.Count == 0 && refusals.Length > 0)
            return new($"the nodes that it reaches refuse its store ({refusals})", "Remove the reason. The node retries by itself.");
        if (replica.HasPartOfSeed && replica.Sessions.Count == 0)
        {
            return new(
                "it has part of the cluster's data, and no node that has the rest is reachable",
                "Start a node of the cluster. To form a new cluster instead, stop this node, and move its store's files away first.");
        }
        if (replica.Identity.MayHaveEarlierLife && !replica.Sessions.Keys.Any(replica.HasRun))
            return new($"another node remembers an earlier life of node {_node.Id}, so a cluster exists, but none of its members is reachable", "Start them.");
        if (inquiry is not null && CountFreshNodes() >= options.ExpectedNodes)
        {
            byte[] silent = [.. Candidates().Where(member => member.IsUp && Holds(member) is null).Select(static member => member.NodeId)];
            if (silent.Length > 0)
            {
                return new(
                    $"nodes {string.Join(", ", silent)} have not said whether they hold the store '{host.Name}'",
                    "Check the network to these nodes. A node answers once its application has opened a store, which AddDatacake does; otherwise a context or OpenStoreAsync does.");
            }
            byte[] closed = [.. Candidates().Where(member => member.IsUp && !member.Stores.Contains(host.Name) && Holds(member) == true).Select(static member => member.NodeId)];
            if (closed.Length > 0)
            {
                return new(
                    $"nodes {string.Join(", ", closed)}, which hold the store '{host.Name}', have not opened it",
                    "Open it there. A node opens the stores that it is configured for with OpenStoresAsync, which AddDatacake calls; otherwise a context or OpenStoreAsync opens them.");
            }
            byte[] absent = [.. Candidates().Where(static member => !member.IsUp).Select(static member => member.NodeId)];
            if (absent.Length > 0)
            {
                return new(
                    $"nodes {string.Join(", ", absent)}, which hold the store '{host.Name}', are not up",
                    $"Start one of them. If their stores are gone for good, set {SettingNames.Of(nameof(options.FormCluster))} for the store at one node.");
            }
        }
        string missing = string.Join(", ", _node.SeedContacts.Where(IsMissing).Select(NameOf).Distinct());
        string reached = string.Join(", ", replica.Sessions.Keys);
        string who = replica.Sessions.Count == 0 ? "it reaches no other node" : $"the nodes that it reaches ({reached}) have not joined either";
        if (CountFreshNodes() < options.ExpectedNodes && missing.Length == 0)
        {
            return new(
                $"{who}, and {options.ExpectedNodes} nodes are expected ({SettingNames.Of(nameof(options.ExpectedNodes))})",
                "Start the other nodes. A node takes part once its application has opened the store, which AddDatacake does; otherwise a context or OpenStoreAsync does.");
        }
        if (missing.Length == 0)
        {
            return new(
                "all of its seeds answer, but none has a store that has joined a cluster, or that forms one with this node",
                "A node takes part once its application has opened the store, which AddDatacake does; otherwise a context or OpenStoreAsync does.");
        }
        return new(
            $"{who}, and some of its seeds do not answer ({missing})",
            "Start a node of the cluster, and check the seeds, the cluster secret and the firewall. If this is the first node of a new cluster, start the other nodes, give it no "
                + $"seeds other than itself, or set {SettingNames.Of(nameof(options.FormCluster))}.");
    }

    /// <summary>
    /// Returns the latest errors of up to three seeds that do not answer, one sentence each; an empty string if there are none. The text
    /// may differ from call to call.
    /// </summary>
    public string DescribeSeedFailures() => string.Concat(_node.SeedContacts
        .Where(contact => contact.Failure is not null && IsMissing(contact))
        .Take(MaxFailures)
        .Select(contact => $" Seed {NameOf(contact)}: {contact.Failure!.TrimEnd('.')}."));

    static string NameOf(SeedContact contact) =>
        contact.Endpoint?.ToString() is { } endpoint && endpoint != contact.Seed ? $"{contact.Seed} at {endpoint}" : contact.Seed;

    int CountFreshNodes() => 1 + replica.Sessions.Keys.Count(peer => !replica.HasRun(peer));

    /// <summary>Returns the node that has answered at each seed address, or null where none has.</summary>
    List<byte?> Answers()
    {
        var answers = new List<byte?>();
        foreach (var contact in _node.SeedContacts)
        {
            // Behind a NAT a node may not reach its own address.
            if (contact.State == SeedContactState.Itself || contact.Seed == _node.Address)
                answers.Add(_node.Id);
            else if (contact is { State: SeedContactState.Reached, NodeId: { } reached })
                answers.Add(reached);
            else if (IsMissing(contact))
                answers.Add(null);
        }
        return answers;
    }

    /// <summary>
    /// Returns the answers of the seeds without the nodes that do not hold the store; with the other holders, which need not be seeds; and with a null for
    /// each node that has not said whether it holds the store.
    /// </summary>
    List<byte?> OfHolders(List<byte?> answers)
    {
        if (inquiry is null)
            return answers;
        var candidates = Candidates().ToArray();
        // A seed that gossip does not know yet cannot have been asked.
        var holders = answers.Select(answer => answer == _node.Id || candidates.Any(member => member.NodeId == answer) ? answer : null)
            .Where(answer => answer is null || answer == _node.Id).ToList();
        foreach (var member in candidates)
        {
            if (Holds(member) != false)
                holders.Add(Holds(member) is null ? null : member.NodeId);
        }
        return holders;
    }

    /// <summary>Returns whether a member holds the store, or null if that is not known. What gossip says is later than an answer that the node does not hold it.</summary>
    bool? Holds(ClusterMember member) => member.Stores.Contains(host.Name) ? true : inquiry!.Holds(member);

    /// <summary>Returns the other nodes that hold a named store or may hold it: those that are up, and the others that gossip remembers as holders.</summary>
    IEnumerable<ClusterMember> Candidates() => _node.Members.Where(member => member.NodeId != _node.Id && (member.IsUp || member.Stores.Contains(host.Name)));

    /// <summary>
    /// Returns true if no node has answered at a seed address. A host that has both IPv4 and IPv6 addresses need not listen on both.
    /// </summary>
    bool IsMissing(SeedContact contact) => contact.State is not (SeedContactState.Itself or SeedContactState.Reached) && contact.Seed != _node.Address
        && !_node.SeedContacts.Any(other => other.Seed == contact.Seed && other.State is SeedContactState.Itself or SeedContactState.Reached
            && FamilyOf(other) != FamilyOf(contact));

    static AddressFamily? FamilyOf(SeedContact contact) => contact.Endpoint?.AddressFamily;
}

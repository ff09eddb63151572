using System.Net.Sockets;
using Datacake.EventualConsistency.Options;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency.Joining;

/// <summary>The joining of a fresh store: decides when the store must form a cluster [R12], and describes what it is waiting for.</summary>
sealed class ClusterJoiner(DatacakeNode node, Replica replica, ReplicatedStoreOptions options)
{
    /// <summary>
    /// The time that a node waits for other nodes to appear under a seed name that so far stands for the node itself alone.
    /// </summary>
    static readonly TimeSpan SeedNameGracePeriod = TimeSpan.FromSeconds(3);

    const int MaxFailures = 3;

    readonly long _started = node.TimeProvider.GetTimestamp();

    /// <summary>
    /// True if the store may form the cluster as soon as it opens, because it knows no node and no node can know it: the node has no seeds,
    /// and its address is new. At an address from before, members could still call, and tell that a cluster exists. So could its seeds, even if
    /// <see cref="ReplicatedStoreOptions.FormCluster"/> is set: such a setting tends to stay when a disk is replaced.
    /// </summary>
    public bool MayFormAtOnce => node.Seeds.Count == 0 && node.HasNewAddress;

    /// <summary>Returns true if the store must form the cluster. Called on the commit loop at each tick.</summary>
    public bool MustForm()
    {
        var answers = Answers();
        bool mayBeAlone = node.Seeds.Count > 0 && answers.All(answer => answer == node.Id) && node.Seeds.Any(seed => !seed.Equals(node.Address, StringComparison.Ordinal));
        if (mayBeAlone && !options.FormCluster && node.TimeProvider.GetElapsedTime(_started) < SeedNameGracePeriod)
            return false;
        return CountFreshNodes() >= options.ExpectedNodes && ClusterFormationRule.MustForm(replica, options.FormCluster, answers);
    }

    /// <summary>Returns the reason why the store has not joined, and what to do about it.</summary>
    public JoinObstacle Describe()
    {
        if (replica.IsWaitingForRoll)
        {
            return new(
                $"nodes {string.Join(", ", replica.AwaitedMembers)} may remember an earlier life of node {node.Id}, and must be asked first",
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
            return new($"another node remembers an earlier life of node {node.Id}, so a cluster exists, but none of its members is reachable", "Start them.");
        string missing = string.Join(", ", node.SeedContacts.Where(IsMissing).Select(NameOf).Distinct());
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
    public string DescribeSeedFailures() => string.Concat(node.SeedContacts
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
        foreach (var contact in node.SeedContacts)
        {
            // Behind a NAT a node may not reach its own address.
            if (contact.State == SeedContactState.Itself || contact.Seed == node.Address)
                answers.Add(node.Id);
            else if (contact is { State: SeedContactState.Reached, NodeId: { } reached })
                answers.Add(reached);
            else if (IsMissing(contact))
                answers.Add(null);
        }
        return answers;
    }

    /// <summary>
    /// Returns true if no node has answered at a seed address. A host that has both IPv4 and IPv6 addresses need not listen on both.
    /// </summary>
    bool IsMissing(SeedContact contact) => contact.State is not (SeedContactState.Itself or SeedContactState.Reached) && contact.Seed != node.Address
        && !node.SeedContacts.Any(other => other.Seed == contact.Seed && other.State is SeedContactState.Itself or SeedContactState.Reached
            && FamilyOf(other) != FamilyOf(contact));

    static AddressFamily? FamilyOf(SeedContact contact) => contact.Endpoint?.AddressFamily;
}

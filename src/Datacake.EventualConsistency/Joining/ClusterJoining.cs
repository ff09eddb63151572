using System.Net.Sockets;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency.Joining;

/// <summary>Looks after a fresh store until it has joined: has it form a cluster if that is due [R12], and says what it waits for.</summary>
sealed class ClusterJoining(DatacakeNode node, Replica replica, ReplicatedStoreOptions options)
{
    /// <summary>
    /// The time that a node whose seeds all lead to itself by name waits for other nodes to appear under that name.
    /// </summary>
    static readonly TimeSpan NamePatience = TimeSpan.FromSeconds(3);

    const int MaxFailures = 3;

    readonly long _started = node.TimeProvider.GetTimestamp();

    /// <summary>True if the store has to form the cluster now. Called on the commit loop, at each tick.</summary>
    public bool MustForm()
    {
        var answers = Answers();
        bool mayBeAlone = node.Seeds.Count > 0 && answers.All(answer => answer == node.Id) && node.Seeds.Any(seed => !seed.Equals(node.Address, StringComparison.Ordinal));
        if (mayBeAlone && !options.FormCluster && node.TimeProvider.GetElapsedTime(_started) < NamePatience)
            return false;
        return CountOfFresh() >= options.ExpectedNodes && ClusterForming.MustForm(replica, options.FormCluster, answers);
    }

    /// <summary>Why the store has not joined, and what to do, for errors and logs.</summary>
    public string Describe()
    {
        if (replica.IsWaitingForRoll)
        {
            return $"an earlier life of node {node.Id} may be remembered by nodes {string.Join(", ", replica.AwaitedMembers)}, which have to be asked first. "
                + "Start them, or retire those that are gone for good.";
        }
        string refusals = string.Join("; ", replica.Refusals.Select(refusal => $"node {refusal.Key}: {refusal.Value.Reason}"));
        if (replica.Sessions.Count == 0 && refusals.Length > 0)
            return $"the nodes that it reaches refuse it ({refusals}).";
        if (replica.HasPartOfSeed && replica.Sessions.Count == 0)
        {
            return "it has a part of the cluster's data, and no node is reachable that has the rest. Start one that has; or, to begin a new cluster, "
                + "remove this store's files first.";
        }
        if (replica.Identity.MayHaveEarlierLife && !replica.Sessions.Keys.Any(replica.HasRun))
        {
            return $"an earlier life of node {node.Id} is remembered, so that there is a cluster to join, and none of its members is reachable. Start them.";
        }
        string missing = string.Join(", ", node.SeedContacts.Where(IsMissing).Select(NameOf).Distinct());
        string reached = string.Join(", ", replica.Sessions.Keys);
        string who = replica.Sessions.Count == 0 ? "it reaches no other node" : $"the nodes that it reaches ({reached}) have not joined either";
        if (CountOfFresh() < options.ExpectedNodes && missing.Length == 0)
            return $"{who}, and {options.ExpectedNodes} nodes are expected ({nameof(ReplicatedStoreOptions)}.{nameof(options.ExpectedNodes)}). Start the others, and have each open its store: by a context, or by OpenStoreAsync.";
        return $"{who}, and not all of its seeds answer ({missing}). Start a node of the cluster; or, if this is the first node of a new cluster, start the others, "
            + $"give it no seeds but itself, or set {nameof(ReplicatedStoreOptions)}.{nameof(options.FormCluster)}.";
    }

    /// <summary>Returns the errors of the last dials of the seeds as sentences, which may differ with each call; empty if there are none.</summary>
    public string DescribeSeedFailures() => string.Concat(node.SeedContacts
        .Where(contact => contact.Failure is not null && IsMissing(contact))
        .Take(MaxFailures)
        .Select(contact => $" Seed {NameOf(contact)}: {contact.Failure!.TrimEnd('.')}."));

    static string NameOf(SeedContact contact) =>
        contact.Endpoint?.ToString() is { } endpoint && endpoint != contact.Seed ? $"{contact.Seed} at {endpoint}" : contact.Seed;

    int CountOfFresh() => 1 + replica.Sessions.Keys.Count(peer => !replica.HasRun(peer));

    /// <summary>For each address that a seed stands for, the node that has answered.</summary>
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

    /// <summary>A host that has addresses of both kinds need not listen at both.</summary>
    bool IsMissing(SeedContact contact) => contact.State is not (SeedContactState.Itself or SeedContactState.Reached) && contact.Seed != node.Address
        && !node.SeedContacts.Any(other => other.Seed == contact.Seed && other.State is SeedContactState.Itself or SeedContactState.Reached
            && FamilyOf(other) != FamilyOf(contact));

    static AddressFamily? FamilyOf(SeedContact contact) => contact.Endpoint?.AddressFamily;
}

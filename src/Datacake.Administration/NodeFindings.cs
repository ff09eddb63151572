using System.Globalization;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Options;
using Datacake.Node;

namespace Datacake.Administration;

/// <summary>The findings of a node: its problems, each with the remedy.</summary>
public static class NodeFindings
{
    /// <summary>The code of a member that has stopped as planned.</summary>
    internal const string LeftCode = "member-left";

    /// <summary>The time without a sequencer from which it is a finding. An election takes less.</summary>
    static readonly TimeSpan MinTimeWithoutSequencer = TimeSpan.FromSeconds(30);

    /// <summary>The number of stores that a finding names.</summary>
    const int MaxNamedStores = 3;

    /// <summary>The difference between two wall clocks from which it is a finding.</summary>
    static readonly TimeSpan MinReportedClockOffset = TimeSpan.FromSeconds(10);

    /// <summary>Returns the findings of a node, the most urgent first. An empty list means that all is well.</summary>
    /// <param name="store">The store of the node.</param>
    /// <param name="level">The consistency level that writes have to satisfy.</param>
    public static IReadOnlyList<Finding> Of(ReplicatedStore store, Consistency level = Consistency.Quorum)
    {
        ArgumentNullException.ThrowIfNull(store);
        return [.. Find(store, level).Select(finding => ForStore(finding, store.Name)).OrderByDescending(static finding => finding.Severity)];
    }

    /// <summary>
    /// Returns the findings of all stores of a node that are open, the most urgent first. Those of named stores begin with the name of the store. What several
    /// stores find alike is one finding.
    /// </summary>
    /// <param name="node">The node.</param>
    /// <param name="level">The consistency level that writes have to satisfy.</param>
    public static IReadOnlyList<Finding> Of(DatacakeNode node, Consistency level = Consistency.Quorum)
    {
        ArgumentNullException.ThrowIfNull(node);
        return [.. node.OpenStores.SelectMany(store => Find(store, level).Select(finding => (store.Name, Finding: finding)))
            .GroupBy(static found => found.Finding, static found => found.Name)
            .Select(static found => ForStores(found.Key, [.. found]))
            .OrderByDescending(static finding => finding.Severity)];
    }

    /// <summary>Returns a finding that names the stores, and the settings of them.</summary>
    static Finding ForStores(Finding finding, string[] stores)
    {
        var named = ForStore(finding, stores is [var only] ? only : stores.Contains("") ? "" : "NAME");
        return named with { Problem = $"{Prefix(stores)}{named.Problem}" };
    }

    static Finding ForStore(Finding finding, string store) => finding with { Problem = SettingNames.ForStore(finding.Problem, store), Remedy = SettingNames.ForStore(finding.Remedy, store) };

    /// <summary>Returns the beginning of a finding that names the stores; an empty text for the own store alone.</summary>
    static string Prefix(string[] stores)
    {
        if (stores is [""])
            return "";
        var named = stores.Where(static store => store.Length > 0).Select(static store => $"'{store}'").ToArray();
        string more = named.Length > MaxNamedStores ? $" and {named.Length - MaxNamedStores} more" : "";
        return $"{(stores.Contains("") ? "Own store and store" : "Store")}{(named.Length > 1 ? "s" : "")} {string.Join(", ", named.Take(MaxNamedStores))}{more}: ";
    }

    static IEnumerable<Finding> Find(ReplicatedStore store, Consistency level) => store.Name.Length == 0 ? [.. OfStore(store, level), .. OfNode(store.Node)] : OfStore(store, level);

    static IEnumerable<Finding> OfStore(ReplicatedStore store, Consistency level)
    {
        var node = store.Node;
        if (store.Exclusion is { } exclusion)
        {
            var (reason, remedy) = Split(exclusion);
            yield return Error("excluded", $"Node {node.Id} accepts no writes, because its store is no longer part of the cluster: {reason}.",
                remedy ?? "Stop the node, move its store away, and start it with an empty store. It copies everything from the other nodes.");
        }
        if (store.StorageFailure is { } failure)
        {
            yield return Error("storage", $"The storage of node {node.Id} refuses the writes of the store: {failure.Message}",
                "Make room on the disk, or repair it: writes then continue by themselves. A raised limit, such as MaxFileBytes, takes effect when the node is restarted.");
        }
        // What an excluded store misses, and whom it counts, is no longer a matter of the cluster. Its advice would be wrong.
        foreach (var finding in store.Exclusion is not null ? [] : store.FollowStatus is { } follows ? OfFollower(store, follows) : OfCluster(store, level))
            yield return finding;
        if (store.DamagedRecords is > 0 and var damaged)
        {
            yield return Warning("damaged", $"{damaged} stored records of node {node.Id} are damaged and not repaired yet.",
                "Keep the other nodes running, from which they are repaired, and check the disk.");
        }
    }

    /// <summary>Returns the findings that concern the node as a whole.</summary>
    static IEnumerable<Finding> OfNode(DatacakeNode node)
    {
        if (node.CertificateStatus is { } certificate && certificate.RenewBy <= node.TimeProvider.GetUtcNow())
        {
            string name = certificate.FirstToExpire == certificate.Subject ? certificate.Subject : $"{certificate.FirstToExpire}, an issuer of {certificate.Subject},";
            yield return Warning("certificate", string.Create(CultureInfo.InvariantCulture, $"The certificate {name} expires at {certificate.ExpiresAt:u}."),
                "Renew it. Files are read again by themselves.");
        }
        foreach (var finding in node.FindExtension<NodeAdministration>()?.Backups?.Find() ?? [])
            yield return finding;
    }

    /// <summary>Returns the findings of a store that is no member. Its levels are those of the member that it follows.</summary>
    static IEnumerable<Finding> OfFollower(ReplicatedStore store, FollowStatus follows)
    {
        const string remedy = "Start a member, and check the address, the cluster secret and the network.";
        if (!store.Joined.IsCompletedSuccessfully)
        {
            yield return Error("joining", $"The store has no copy of what it follows yet: {store.JoinObstacle?.Reason ?? "it is about to connect"}.", store.JoinObstacle?.Remedy ?? "Wait until it has.");
        }
        else if (!follows.IsConnected)
        {
            yield return Warning("follows-nobody", string.Create(CultureInfo.InvariantCulture,
                $"The store has followed no member since {follows.Since:u}: {follows.Failure}. Its data is not updated, and saves are refused."), remedy);
        }
    }

    static IEnumerable<Finding> OfCluster(ReplicatedStore store, Consistency level)
    {
        var node = store.Node;
        if (!store.Joined.IsCompletedSuccessfully)
        {
            var join = store.JoinStatus;
            string received = join.EstimatedDocuments > 0
                ? string.Create(CultureInfo.InvariantCulture, $" It has received {join.Documents} of about {join.EstimatedDocuments} documents.") : "";
            yield return store.JoinObstacle is { } obstacle
                ? Error("joining", $"The store of node {node.Id} has not joined its cluster yet: {obstacle.Reason}.{received}", obstacle.Remedy)
                : Error("joining", $"The store of node {node.Id} has not joined its cluster yet.{received}", "Wait until it has.");
        }
        var requirement = store.RequirementOf(level);
        if (requirement.IsBlockedByExpectation)
        {
            yield return Warning("level", $"{requirement}, because {requirement.Expected} nodes are expected ({SettingNames.Of(nameof(ReplicatedStoreOptions.ExpectedNodes))}).",
                "Start the nodes that have not joined yet. If the cluster is to have fewer nodes, lower the setting on all of them, and restart them one by one.");
        }
        else if (!requirement.IsReachable)
        {
            yield return Warning("level", $"{requirement}, and the members that are up cannot satisfy that.",
                "Start the members that are down, or retire those that never come back.");
        }
        if (store.Joined.IsCompletedSuccessfully && store.TimeWithoutSequencer > MinTimeWithoutSequencer)
        {
            string voters = store.SerialStatus.VoterCount > 0 ? $"{store.RequirementOf(Consistency.Serial)}" : "the voters are not known here";
            yield return Warning("serial", $"Node {node.Id} knows no sequencer, so that serial transactions are refused: {voters}.",
                "Start the voters that are down. If a majority of the voters is lost for good, retire them, and begin the serial transactions anew at one node: datacake recover-serial.");
        }
        foreach (var finding in store.Name.Length > 0 ? [] : OfSettings(store))
            yield return finding;
        foreach (var finding in store.MemberStates.Select(OfMember).OfType<Finding>())
            yield return finding;
        foreach (var (peer, offset) in node.ClockOffsets.Where(clock => store.Name.Length == 0 && clock.Value.Duration() > MinReportedClockOffset))
        {
            yield return Warning("clock", string.Create(CultureInfo.InvariantCulture,
                $"The wall clock of node {peer} differs from that of node {node.Id} by {offset.TotalSeconds:0} s."),
                $"Synchronize the clocks of both machines (NTP). Beyond {node.MaxClockDifference} the nodes refuse each other's writes.");
        }
        if (store.DifferingMembers is { Count: > 0 } differing)
        {
            yield return Warning("different", $"Nodes {string.Join(", ", differing)} know the same transactions as node {node.Id} but show something else.",
                "Verify the store of each node. Damaged records are repaired from the other nodes.");
        }
        if (store.HeldRemoval is { } held)
        {
            yield return Warning("held-removal",
                $"A reconcile of node {node.Id} with node {held.NodeId} would remove {held.Documents} documents and is held back until it is allowed.",
                $"If the documents were deleted on purpose, allow the removal. If node {held.NodeId} has lost them, start that node with an empty store.");
        }
    }

    static IEnumerable<Finding> OfSettings(ReplicatedStore store)
    {
        var node = store.Node;
        if (store.IsTakeOverLeft)
        {
            yield return Warning("take-over",
                $"Node {node.Id} still has the setting to take over its node id ({SettingNames.Of(nameof(ReplicatedStoreOptions.TakeOverNodeId))}), although its store is part of the cluster.",
                "Remove the setting, and restart the node. Otherwise the next empty disk replaces the store for good, without a question.");
        }
        var joined = store.MemberStates.Where(static member => member.HasJoined).Select(static member => member.NodeId).ToHashSet();
        var expected = node.Members.Where(member => member.IsUp && joined.Contains(member.NodeId))
            .Select(static member => (member.NodeId, Expected: member.Labels.GetValueOrDefault(NodeAdministration.ExpectedNodesLabel)))
            .Where(static member => member.Expected is not null).GroupBy(static member => member.Expected, static member => member.NodeId).ToArray();
        if (expected.Length > 1)
        {
            string values = string.Join("; ", expected.Select(static same => $"{same.Key} on {(same.Count() == 1 ? "node" : "nodes")} {string.Join(", ", same.Order())}"));
            yield return new Finding(FindingSeverity.Information, "expected-nodes",
                $"The nodes expect different numbers of nodes ({SettingNames.Of(nameof(ReplicatedStoreOptions.ExpectedNodes))}): {values}.",
                "Give all nodes the same number, that of all nodes of the cluster, and restart them one by one. Otherwise two halves of the cluster may both have a majority.");
        }
    }

    /// <summary>Splits the reason of a refusal, which is a clause, into what is wrong and what to do.</summary>
    static (string Reason, string? Remedy) Split(string clause) => clause.Split("; ", 2) is [var reason, { Length: > 0 } remedy]
        ? (reason, $"{char.ToUpperInvariant(remedy[0])}{remedy[1..]}.")
        : (clause, null);

    static Finding? OfMember(StoreMemberState member)
    {
        string name = member.Address.Length > 0 ? $"node {member.NodeId} at {member.Address}" : $"node {member.NodeId}";
        return member.State switch
        {
            // A node that is down and no member is not missed: it has never joined.
            MemberConnection.Down when member.HasJoined => Warning("member-down", $"Down: {name}. It still counts for the consistency levels.",
                "Start it. If it does not stay up, its log says why. If it never comes back, retire it, so that it counts no longer."),
            MemberConnection.Left when member.HasJoined => Warning(LeftCode, $"Stopped: {name}, which announced that it stops. It still counts for the consistency levels.",
                "Start it. If it stops again, its start has failed, and its log says why. If it never comes back, retire it, so that it counts no longer."),
            MemberConnection.Refused => Refused(name, member.Reason ?? ""),
            MemberConnection.NoSession => Warning("no-session", $"No session with {name}: {member.Reason}.", "Check the network between both nodes, in both directions."),
            MemberConnection.CatchingUp => new Finding(FindingSeverity.Information, "catching-up",
                string.Create(CultureInfo.InvariantCulture, $"Catching up with {name}, behind by {member.Behind?.TotalSeconds ?? 0:0} s."), "Wait."),
            MemberConnection.Unseen when member.HasJoined => Warning("member-unseen", $"No session with {name}: {member.Reason}.",
                "Start it. If it does not stay up, its log says why. If it never comes back, retire it, so that it counts no longer."),
            MemberConnection.InSession when !member.HasJoined => new Finding(FindingSeverity.Information, "member-joining", $"Node {member.NodeId} has not joined yet.", "Wait."),
            _ => null,
        };
    }

    static Finding Refused(string name, string refusal)
    {
        var (reason, remedy) = Split(refusal);
        return Warning("member-refused", $"No session with {name}, which is refused: {reason}.", $"{remedy ?? "Remove the reason."} The nodes retry by themselves.");
    }

    static Finding Error(string code, string problem, string remedy) => new(FindingSeverity.Error, code, problem, remedy);

    static Finding Warning(string code, string problem, string remedy) => new(FindingSeverity.Warning, code, problem, remedy);
}

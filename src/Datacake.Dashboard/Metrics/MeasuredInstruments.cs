namespace Datacake.Dashboard.Metrics;

/// <summary>The instruments that the dashboard keeps a history of.</summary>
static class MeasuredInstruments
{
    public const string Saves = "datacake.data.saves", SaveDuration = "datacake.data.save.duration", Queries = "datacake.data.queries",
        QueryDuration = "datacake.data.query.duration", DocumentsRead = "datacake.data.query.documents", Conflicts = "datacake.data.conflicts",
        Commits = "datacake.store.commits", Transactions = "datacake.store.transactions", Documents = "datacake.store.documents",
        RpcBytes = "datacake.rpc.bytes", GossipBytes = "datacake.gossip.bytes";

    /// <summary>Gets, by the name of the instrument, the tag whose values are separate series; an empty name for one series.</summary>
    public static IReadOnlyDictionary<string, string> TagOf { get; } = new Dictionary<string, string>
    {
        [Saves] = "level",
        [SaveDuration] = "level",
        [Queries] = "access",
        [QueryDuration] = "",
        [DocumentsRead] = "",
        [Conflicts] = "",
        [Commits] = "",
        [Transactions] = "",
        [Documents] = "",
        [RpcBytes] = "direction",
        [GossipBytes] = "direction",
    };
}

using System.Diagnostics.Metrics;
using System.Globalization;
using Datacake.Node;

namespace Datacake.Extensions.Caching.Diagnostics;

/// <summary>The metrics of a cache, on the meter <c>Datacake.Extensions.Caching</c>. Every measurement is tagged with the id of the node and the keyspace.</summary>
sealed class CacheMetrics : IDisposable
{
    public const string MeterName = "Datacake.Extensions.Caching";

    /// <summary>The results of a read: found in the memory of the process, found in the keyspace, or not found.</summary>
    public const string InMemory = "memory", InStore = "store", Missing = "missing";

    /// <summary>The reasons why a sliding expiry was not renewed: the renewal failed, or too many were running.</summary>
    public const string Failed = "failed", Skipped = "skipped";

    readonly Meter _meter = new(MeterName);
    readonly Counter<long> _reads;
    readonly Counter<long> _evictions;
    readonly Counter<long> _missedRenewals;
    readonly KeyValuePair<string, object?> _keyspace;
    volatile string? _node;

    public CacheMetrics(string keyspace)
    {
        _keyspace = new("keyspace", keyspace);
        _reads = _meter.CreateCounter<long>("datacake.cache.reads", "{read}", "Reads of entries by their result: memory, store or missing. Callers that wait for the same factory count once.");
        _evictions = _meter.CreateCounter<long>("datacake.cache.evictions", "{entry}", "Entries that this node removed because the keyspace had exceeded its limit.");
        _missedRenewals = _meter.CreateCounter<long>(
            "datacake.cache.renewals.missed", "{renewal}", "Renewals of sliding expiries that were not made, by their reason: failed or skipped. Later reads make them.");
    }

    /// <summary>Sets the node of the measurements that follow.</summary>
    public void OnOpened(DatacakeNode node) => _node = node.Id.ToString(CultureInfo.InvariantCulture);

    public void OnRead(string result)
    {
        if (_reads.Enabled)
            _reads.Add(1, new("node", _node), _keyspace, new("result", result));
    }

    public void OnRenewalMissed(string reason) => _missedRenewals.Add(1, new("node", _node), _keyspace, new("reason", reason));

    public void OnEvicted(int entries) => _evictions.Add(entries, new("node", _node), _keyspace);

    public void Dispose() => _meter.Dispose();
}

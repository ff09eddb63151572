using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Quickstart;

/// <summary>A country or territory.</summary>
public sealed class Region
{
    /// <summary>The code of ISO 3166: <c>JP</c>.</summary>
    public string Id { get; set; } = "";
    public string Name { get; set; } = "";
    public string NativeName { get; set; } = "";

    /// <summary>The code of ISO 4217: <c>JPY</c>. Queries for it use the index.</summary>
    [Index] public string Currency { get; set; } = "";
    public string CurrencyName { get; set; } = "";
    public string CurrencySymbol { get; set; } = "";
    public bool IsMetric { get; set; }

    /// <summary>Languages added on different nodes at the same time all stay.</summary>
    public HashSet<string> Languages { get; set; } = [];

    // .NET does not know these: they are what the nodes work on.
    public string? Capital { get; set; }
    public string? DialingCode { get; set; }

    /// <summary>Visits counted on different nodes at the same time add up.</summary>
    [Counter] public long Visits { get; set; }
}

/// <summary>A language, or a language as it is used in one region.</summary>
public sealed class Culture
{
    /// <summary>The name: <c>de-CH</c>.</summary>
    public string Id { get; set; } = "";
    public string Name { get; set; } = "";
    public string NativeName { get; set; } = "";
    [Index] public string Language { get; set; } = "";
    public string? Region { get; set; }
    public string? Currency { get; set; }
    public DayOfWeek FirstDayOfWeek { get; set; }
    public NumberStyle Numbers { get; set; } = new();
}

/// <summary>How a culture writes numbers: an object that its culture owns, and that merges property by property as well.</summary>
public sealed class NumberStyle
{
    public string DecimalSeparator { get; set; } = "";
    public string GroupSeparator { get; set; } = "";
}

/// <summary>A time zone.</summary>
public sealed class Zone
{
    public string Id { get; set; } = "";
    public string Name { get; set; } = "";
    [Index] public TimeSpan Offset { get; set; }
    public bool HasDaylightSaving { get; set; }
}

/// <summary>What somebody wrote down, in the node mode.</summary>
public sealed class Note
{
    public string Id { get; set; } = "";
    public string Text { get; set; } = "";
}

/// <summary>A unit of work on the records. The source generator writes the other half.</summary>
public sealed partial class WorldContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Region> Regions { get; }

    public partial Keyspace<Culture> Cultures { get; }

    public partial Keyspace<Zone> Zones { get; }

    public partial Keyspace<Note> Notes { get; }

    /// <summary>How many documents the node has in each keyspace, and their fingerprint: nodes that show the same have the same.</summary>
    public async Task<IReadOnlyList<KeyspaceStatistics>> GetStatisticsAsync(CancellationToken cancellationToken = default)
    {
        var store = await Node.OpenStoreAsync(cancellationToken);
        var statistics = new List<KeyspaceStatistics>();
        foreach (var keyspace in Keyspaces)
            statistics.Add(await store.Keyspace(keyspace.Name).GetStatisticsAsync(cancellationToken));
        return statistics;
    }
}

using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Quickstart;

/// <summary>A country or territory.</summary>
public sealed class Region
{
    /// <summary>Gets or sets the ISO 3166 code, such as <c>JP</c>.</summary>
    public string Id { get; set; } = "";
    public string Name { get; set; } = "";
    public string NativeName { get; set; } = "";

    /// <summary>Gets or sets the ISO 4217 code, such as <c>JPY</c>. Queries for it use the index.</summary>
    [Index] public string Currency { get; set; } = "";
    public string CurrencyName { get; set; } = "";
    public string CurrencySymbol { get; set; } = "";
    public bool IsMetric { get; set; }

    /// <summary>Gets or sets the languages. Languages that different nodes add at the same time are all kept.</summary>
    public HashSet<string> Languages { get; set; } = [];

    // .NET does not know the following values: the scenario sets them.
    public string? Capital { get; set; }
    public string? DialingCode { get; set; }

    /// <summary>Gets or sets the number of visits. Visits that different nodes count at the same time add up.</summary>
    [Counter] public long Visits { get; set; }
}

/// <summary>A language, or a language as it is used in one region.</summary>
public sealed class Culture
{
    /// <summary>Gets or sets the name, such as <c>de-CH</c>.</summary>
    public string Id { get; set; } = "";
    public string Name { get; set; } = "";
    public string NativeName { get; set; } = "";
    [Index] public string Language { get; set; } = "";
    public string? Region { get; set; }
    public string? Currency { get; set; }
    public DayOfWeek FirstDayOfWeek { get; set; }
    public NumberStyle Numbers { get; set; } = new();
}

/// <summary>The way in which a culture writes numbers. The culture owns this object, which also merges property by property.</summary>
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

/// <summary>A note that a user of the node mode wrote.</summary>
public sealed class Note
{
    public string Id { get; set; } = "";
    public string Text { get; set; } = "";
}

/// <summary>A unit of work on the records. The source generator writes the other part of the class.</summary>
public sealed partial class WorldContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Region> Regions { get; }

    public partial Keyspace<Culture> Cultures { get; }

    public partial Keyspace<Zone> Zones { get; }

    public partial Keyspace<Note> Notes { get; }

    /// <summary>Returns the number of documents in each keyspace of the node, and their fingerprint. Equal fingerprints mean equal documents.</summary>
    public async Task<IReadOnlyList<KeyspaceStatistics>> GetStatisticsAsync(CancellationToken cancellationToken = default)
    {
        var store = await Node.OpenStoreAsync(cancellationToken);
        var statistics = new List<KeyspaceStatistics>();
        foreach (var keyspace in Keyspaces)
            statistics.Add(await store.Keyspace(keyspace.Name).GetStatisticsAsync(cancellationToken));
        return statistics;
    }
}

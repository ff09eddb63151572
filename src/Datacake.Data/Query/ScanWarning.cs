using System.Collections.Concurrent;
using Datacake.Data.Metadata;
using Microsoft.Extensions.Logging;

namespace Datacake.Data.Querying;

/// <summary>Warns of queries that read many documents, and names the index that would help. Pure but for the log.</summary>
static partial class ScanWarning
{
    /// <summary>Logs a warning if a query read more documents than the context allows, and far more than it found.</summary>
    public static void Of(
        DatacakeContext context, KeyspaceModel keyspace, AccessPath path, IReadOnlyList<IReadOnlyList<Condition>> alternatives,
        IReadOnlyList<OrderingColumn> orderings, bool isOfRelated, IReadOnlyList<string> tags, long documentsRead, long results)
    {
        // A query that wants most of what there is cannot be helped.
        if (documentsRead <= context.ScanWarningThreshold || documentsRead < results * 2)
            return;
        string remedy = isOfRelated
            ? "What it says of related entities is checked of each, and no index answers it; look for the related ones first, and then for the entities by their foreign key."
            : Remedy(keyspace.Entity, alternatives, orderings);
        if (keyspace.Entity.ScanWarnings.IsNew($"{path.GetType().Name} {remedy}"))
            ManyRead(context.Node.LoggerFactory.CreateLogger<DatacakeContext>(), keyspace.Name, documentsRead, results, string.Join("; tagged ", tags.Prepend($"{path}")), remedy);
    }

    /// <summary>What the user can do: the index that would find less, or why none would.</summary>
    public static string Remedy(
        EntityModel entity, IReadOnlyList<IReadOnlyList<Condition>> alternatives, IReadOnlyList<OrderingColumn> orderings)
    {
        var indexes = alternatives.Select(conditions => IndexFor(entity, conditions, orderings)).OfType<IndexModel>().ToList();
        if (indexes.Count == 0 || indexes.Count < alternatives.Count)
            return "No index can answer its condition; state it as comparisons of mapped properties, or look at fewer entities.";
        var missing = indexes
            .Where(wanted => !entity.Indexes.Any(index => index.Properties.SequenceEqual(wanted.Properties)))
            .GroupBy(
                wanted => (wanted.DerivedType ?? entity.Type).Name,
                wanted => $"[Index({string.Join(", ", wanted.Properties.Select(name => $"\"{name}\""))})]")
            .Select(ofClass => $"Declare on {ofClass.Key}: {string.Join(" and ", ofClass.Distinct())}")
            .ToList();
        return missing.Count == 0 ? "Its condition fits many entities; narrow it." : string.Join("; ", missing);
    }

    /// <summary>The index that would find what conditions are true of; null if none would.</summary>
    static IndexModel? IndexFor(EntityModel entity, IReadOnlyList<Condition> conditions, IReadOnlyList<OrderingColumn> orderings)
    {
        var columns = Columns(entity, [.. conditions.Where(condition => condition.Type is null)], orderings);
        var classes = columns.Select(name => entity.FindProperty(name)!.DerivedType).OfType<Type>().ToList();
        return columns.Count == 0 ? null : new IndexModel("", columns) { DerivedType = classes.Find(type => classes.TrueForAll(type.IsAssignableTo)) };
    }

    /// <summary>What is fixed to a value first, then one range, or else the first ordering; a set is indexed alone.</summary>
    static List<string> Columns(EntityModel entity, IReadOnlyList<Condition> conditions, IReadOnlyList<OrderingColumn> orderings)
    {
        if (conditions.FirstOrDefault(condition => condition.Property.Kind == PropertyKind.Set) is { } ofSet)
            return [ofSet.Property.Name];
        var columns = new List<string>();
        foreach (var condition in conditions.OrderBy(condition => condition.Kind == ConditionKind.In ? 0 : 1))
        {
            // How the key begins needs no index.
            if (condition.Property == entity.Key[0] || columns.Contains(condition.Property.Name))
                continue;
            columns.Add(condition.Property.Name);
            if (condition.Kind != ConditionKind.In)
                return columns;
        }
        if (conditions.Count > 0 && orderings is [{ Property: { } first }, ..] && !columns.Contains(first)
            && entity.FindProperty(first) is { OrderedCodec: not null, Kind: PropertyKind.Value })
            columns.Add(first);
        return columns;
    }

    [LoggerMessage(101, LogLevel.Warning,
        "A query of the keyspace {Keyspace} read {Read} documents to return {Results} (plan: {Plan}). {Remedy}")]
    static partial void ManyRead(ILogger logger, string keyspace, long read, long results, string plan, string remedy);
}

/// <summary>Which warnings were given, so that each is given once. Thread-safe.</summary>
sealed class GivenWarnings
{
    const int MaxWarnings = 1_000;

    readonly ConcurrentDictionary<string, bool> _given = new();

    /// <summary>Whether the warning was not given yet; it is from now on.</summary>
    public bool IsNew(string warning) => _given.Count < MaxWarnings && _given.TryAdd(warning, true);
}

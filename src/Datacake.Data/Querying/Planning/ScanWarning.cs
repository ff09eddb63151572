using System.Collections.Concurrent;
using Datacake.Data.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Datacake.Data.Querying.Planning;

/// <summary>The warning about queries that read many documents, which names the index that would help. Pure, except for the log.</summary>
static partial class ScanWarning
{
    /// <summary>
    /// Logs a warning if a query read more documents than the context's threshold, and at least twice as many as it returned.
    /// </summary>
    public static void Of(
        IQueryContext context, KeyspaceModel keyspace, AccessPath path, IReadOnlyList<IReadOnlyList<Condition>> alternatives,
        IReadOnlyList<OrderingColumn> orderings, bool isOfRelated, IReadOnlyList<string> tags, long documentsRead, long results)
    {
        // No index helps a query that returns most of the documents that it reads.
        if (documentsRead <= context.ScanWarningThreshold || documentsRead < results * 2)
            return;
        string remedy = Remedy(keyspace.Entity, alternatives, orderings, isOfRelated);
        if (keyspace.Entity.ScanWarnings.TryAdd($"{path.GetType().Name} {remedy}"))
            ManyDocumentsRead(DataLog.Of(context.Node), keyspace.Name, documentsRead, results, string.Join("; tagged ", tags.Prepend($"{path}")), remedy);
    }

    /// <summary>
    /// Returns advice for the user, with regard to conditions on related entities: see <see cref="Remedy(EntityModel, IReadOnlyList{IReadOnlyList{Condition}}, IReadOnlyList{OrderingColumn})"/>.
    /// </summary>
    public static string Remedy(
        EntityModel entity, IReadOnlyList<IReadOnlyList<Condition>> alternatives, IReadOnlyList<OrderingColumn> orderings, bool isOfRelated) => isOfRelated
        ? "Its conditions on related entities are checked for each entity, and no index answers them. "
            + "Query the related entities first, and then the entities by their foreign key."
        : Remedy(entity, alternatives, orderings);

    /// <summary>
    /// Returns advice for the user: the index that would reduce the number of documents read, or the reason why none would.
    /// </summary>
    public static string Remedy(
        EntityModel entity, IReadOnlyList<IReadOnlyList<Condition>> alternatives, IReadOnlyList<OrderingColumn> orderings)
    {
        var indexes = alternatives.Select(conditions => IndexFor(entity, conditions, orderings)).OfType<IndexModel>().ToList();
        if (indexes.Count == 0 || indexes.Count < alternatives.Count)
            return "No index can answer its conditions. Write them as comparisons of mapped properties, or query fewer entities.";
        var missing = indexes
            .Where(wanted => !entity.Indexes.Any(index => index.Properties.SequenceEqual(wanted.Properties)))
            .GroupBy(
                wanted => (wanted.DerivedType ?? entity.Type).Name,
                wanted => $"[Index({string.Join(", ", wanted.Properties.Select(name => $"\"{name}\""))})]")
            .Select(ofClass => $"Declare on {ofClass.Key}: {string.Join(" and ", ofClass.Distinct())}")
            .ToList();
        return missing.Count == 0 ? "Its conditions match many entities. Narrow them." : $"{string.Join("; ", missing)}.";
    }

    /// <summary>Returns the index that would find the entities for which the conditions are true; null if none would.</summary>
    static IndexModel? IndexFor(EntityModel entity, IReadOnlyList<Condition> conditions, IReadOnlyList<OrderingColumn> orderings)
    {
        var columns = Columns(entity, [.. conditions.Where(condition => condition.Type is null)], orderings);
        var classes = columns.Select(name => entity.FindProperty(name)!.DerivedType).OfType<Type>().ToList();
        return columns.Count == 0 ? null : new IndexModel("", columns) { DerivedType = classes.Find(type => classes.TrueForAll(type.IsAssignableTo)) };
    }

    /// <summary>
    /// Returns the columns of an index: first those that are fixed to a value, then one range or else the first ordering. A set is indexed
    /// alone.
    /// </summary>
    static List<string> Columns(EntityModel entity, IReadOnlyList<Condition> conditions, IReadOnlyList<OrderingColumn> orderings)
    {
        if (conditions.FirstOrDefault(condition => condition.Property.Kind == PropertyKind.Set) is { } ofSet)
            return [ofSet.Property.Name];
        var columns = new List<string>();
        foreach (var condition in conditions.OrderBy(condition => condition.Kind == ConditionKind.In ? 0 : 1))
        {
            // The first property of the key needs no index.
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

    [LoggerMessage(4001, LogLevel.Warning,
        "A query for the keyspace {Keyspace} read {Read} documents to return {Results} (plan: {Plan}). {Remedy}")]
    static partial void ManyDocumentsRead(ILogger logger, string keyspace, long read, long results, string plan, string remedy);
}

/// <summary>The warnings that were logged, so that each is logged once. Thread-safe.</summary>
sealed class LoggedWarnings
{
    const int MaxWarnings = 1_000;

    readonly ConcurrentDictionary<string, bool> _logged = new();

    /// <summary>Returns true if the warning has not been logged before, and records it.</summary>
    public bool TryAdd(string warning) => _logged.Count < MaxWarnings && _logged.TryAdd(warning, true);
}

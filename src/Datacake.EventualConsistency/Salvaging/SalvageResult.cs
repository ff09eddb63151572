using System.Globalization;

namespace Datacake.EventualConsistency;

/// <summary>The result of <see cref="ReplicatedStore.SalvageAsync"/>.</summary>
/// <param name="Examined">The number of documents that were compared: those that the log of the refused store names.</param>
/// <param name="Written">The number of documents that were written.</param>
/// <param name="Documents">The documents of which this store lacks something, whether or not they were written; at most 10,000.</param>
public sealed record SalvageResult(long Examined, long Written, IReadOnlyList<SalvagedDocument> Documents)
{
    /// <summary>Returns the result as text, for a log.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Examined} documents were compared, and {Written} were written.")
        + string.Concat(Documents.Select(found => $" {found.Keyspace} {found.Key}: {found.Change}{(found.MayBeDeleted ? ", may be deleted" : "")}{(found.Failure is null ? "" : $" ({found.Failure})")}."));
}

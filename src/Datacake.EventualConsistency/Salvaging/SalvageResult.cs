using System.Globalization;

namespace Datacake.EventualConsistency;

/// <summary>The findings of <see cref="ReplicatedStore.SalvageAsync"/>.</summary>
/// <param name="Examined">The number of documents that were compared: those that the log of the refused store names.</param>
/// <param name="Written">The number of documents that were written.</param>
/// <param name="Documents">The documents of which the cluster lacks something, written or not; at most 10,000.</param>
public sealed record SalvageResult(long Examined, long Written, IReadOnlyList<SalvagedDocument> Documents)
{
    /// <summary>Returns what was found, for a log.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Examined} documents were compared and {Written} written.")
        + string.Concat(Documents.Select(found => $" {found.Keyspace} {found.Key}: {found.Change}{(found.MayBeDeleted ? ", may be deleted" : "")}{(found.Failure is null ? "" : $" ({found.Failure})")}."));
}

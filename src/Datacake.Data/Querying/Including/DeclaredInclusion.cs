using Datacake.Data.Metadata;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying.Including;

/// <summary>An inclusion of the related entities of a navigation.</summary>
sealed record DeclaredInclusion<T, TRelated>(NavigationModel<TRelated> Declared, RelatedFilter<TRelated>? Filter) : Inclusion<T, TRelated>
    where T : class
    where TRelated : class
{
    public override string Navigation => Declared.Name;

    public override string Name => $"include {Declared.Name}{Filter?.Description}";

    protected override async Task<IReadOnlyList<TRelated>> LoadRelatedAsync(
        QuerySource source, IReadOnlyList<T> batch, CancellationToken cancellationToken)
    {
        var context = source.Context;
        using var operation = context.Concurrency.Enter();
        using var own = await source.Settings.OpenSnapshotAsync(context, cancellationToken).ConfigureAwait(false);
        var snapshot = own ?? source.Settings.Snapshot!;
        var related = await RelatedReader.FindAsync(Declared, RelatedSource.Of(source, snapshot), batch, Filter, cancellationToken).ConfigureAwait(false);
        bool isTracked = source.IsTracking && source.Identities is null;
        foreach (var item in batch)
        {
            IEnumerable<TRelated> targets = related.Of(item);
            List<TRelated> included = [.. Filter is null ? targets : Filter.Apply(targets)];
            if (isTracked)
                context.Tracker.Assign(Declared, item, included, isComplete: Filter is null);
            else
                Declared.Assign(item, included);
        }
        return related.All;
    }
}

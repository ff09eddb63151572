using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Node;

namespace Datacake.Data.Querying;

/// <summary>A query for entities that come with related ones.</summary>
sealed class IncludingQuery<T>(Keyspace<T> source, Query<T> entities, IReadOnlyList<Inclusion<T>> inclusions, bool isTracking) : OrderedQuery<T>
    where T : class
{
    public Keyspace<T> Source => source;

    public override Query<T> AsNoTracking() => new IncludingQuery<T>(source, entities.AsNoTracking(), inclusions, isTracking: false);

    public override string Explain() => $"{entities.Explain()}; {string.Join("; ", inclusions)}";

    public IncludingQuery<T> With(Inclusion<T> inclusion) => new(source, entities, [.. inclusions, inclusion], isTracking);

    internal override CompiledExpressions Expressions => source.Expressions;

    internal override async IAsyncEnumerable<IReadOnlyList<T>> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var batch in entities.RunAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (var inclusion in inclusions)
                await inclusion.LoadAsync(source.Context, batch, isTracking, cancellationToken).ConfigureAwait(false);
            yield return batch;
        }
    }

    internal override Query<T> WhereCore(Expression<Func<T, bool>> predicate) => Over(entities.WhereCore(predicate));

    internal override OrderedQuery<T> OrderByCore(IReadOnlyList<Ordering<T>> orderings) => Over(entities.OrderByCore(orderings));

    internal override OrderedQuery<T> ThenByCore(Ordering<T> ordering) => Over(((OrderedQuery<T>)entities).ThenByCore(ordering));

    internal override Query<T> SkipCore(int count) => Over(entities.SkipCore(count));

    internal override Query<T> TakeCore(int count) => Over(entities.TakeCore(count));

    internal override ValueTask<long> CountCoreAsync(CancellationToken cancellationToken) => entities.CountCoreAsync(cancellationToken);

    internal override Task<SaveResult> ExecuteCore(
        Action<PropertySetters<T>>? update, Consistency? consistency, CancellationToken cancellationToken) =>
        entities.ExecuteCore(update, consistency, cancellationToken);

    IncludingQuery<T> Over(Query<T> other) => new(source, other, inclusions, isTracking);
}

using System.Collections;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Related;

/// <summary>The results of a query, projected by a selector that uses navigations of the entities in them.</summary>
/// <param name="items">The query.</param>
/// <param name="source">The source of the entities, which says whether related entities in the results are tracked.</param>
/// <param name="selector">The selector.</param>
sealed class RelatedProjectOperator<T, TResult>(QueryOperator<T> items, QuerySource source, Expression<Func<T, TResult>> selector) : QueryOperator<TResult>
{
    public override string Explain() => $"{items.Explain()}; select {ExpressionText.Of(selector)}";

    public override QuerySource Root => items.Root;

    public override QueryOperator<TResult> With(Func<QuerySettings, QuerySettings> change) =>
        new RelatedProjectOperator<T, TResult>(items.With(change), source with { Settings = change(source.Settings) }, selector);

    public override async IAsyncEnumerable<IReadOnlyList<TResult>> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var own = await items.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var used = source with
        {
            Settings = source.Settings with { IsTracking = source.IsTracking && HasEntities(selector.Body), Snapshot = own ?? source.Settings.Snapshot },
        };
        await foreach (var batch in (own is null ? items : items.At(own)).RunAsync(cancellationToken).ConfigureAwait(false))
        {
            var places = new ItemEntityPositions(source.Context.Model);
            var project = Expressions.Compile(NavigationBinder.BindValue(places, selector));
            await places.LoadAsync(used, batch, cancellationToken).ConfigureAwait(false);
            yield return [.. batch.Select(project)];
        }
    }

    /// <summary>True if the results contain entities as a whole.</summary>
    bool HasEntities(Expression result) => result switch
    {
        // The items themselves are tracked by their own query.
        ParameterExpression => result != selector.Parameters[0] && source.Context.Model.IsEntity(result.Type),
        NewExpression { Arguments: var arguments } => arguments.Any(HasEntities),
        MemberInitExpression { NewExpression: var created, Bindings: var bindings } => HasEntities(created) || bindings.Any(binding => binding is not MemberAssignment { Expression: var value } || HasEntities(value)),
        ConditionalExpression { IfTrue: var first, IfFalse: var second } => HasEntities(first) || HasEntities(second),
        NewArrayExpression { Expressions: var items } => items.Any(HasEntities),
        MethodCallExpression call when call.Arguments.OfType<LambdaExpression>().Any(lambda => lambda.Body.Type != typeof(bool) && typeof(IEnumerable).IsAssignableFrom(call.Type)) =>
            call.Arguments.OfType<LambdaExpression>().Any(lambda => HasEntities(lambda.Body)) || source.Context.Model.IsEntity(call.Type),
        MethodCallExpression { Object: null, Arguments: [var items, ..] } call when typeof(IEnumerable).IsAssignableFrom(call.Type) => HasEntities(items) || source.Context.Model.IsEntity(call.Type),
        _ => source.Context.Model.IsEntity(result.Type),
    };
}

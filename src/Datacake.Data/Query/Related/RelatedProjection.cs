using System.Collections;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>Makes something of the results of a query for entities by a selector that names related ones.</summary>
/// <param name="entities">The query.</param>
/// <param name="source">Where the entities come from, and whether those that go into the results are tracked.</param>
/// <param name="selector">The selector.</param>
sealed class RelatedProjection<T, TResult>(Query<T> entities, QuerySource source, Expression<Func<T, TResult>> selector) : Query<TResult>
{
    public override string Explain() => $"{entities.Explain()}; select {ExpressionText.Of(selector)}";

    internal override CompiledExpressions Expressions => entities.Expressions;

    internal override Query<TResult> With(Func<QuerySettings, QuerySettings> change) =>
        new RelatedProjection<T, TResult>(entities.With(change), source with { Settings = change(source.Settings) }, selector);

    internal override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => entities.OpenSnapshotAsync(cancellationToken);

    internal override async IAsyncEnumerable<IReadOnlyList<TResult>> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var used = source with { Settings = source.Settings with { IsTracking = source.IsTracking && HasEntities(selector.Body) } };
        await foreach (var batch in entities.RunAsync(cancellationToken).ConfigureAwait(false))
        {
            var root = new RelatedNode(source.Model);
            var project = Expressions.Compile(NavigationBinder.BindValue(root, selector));
            await RelatedSteps.LoadAsync(root, used, batch, cancellationToken).ConfigureAwait(false);
            yield return [.. batch.Select(project)];
        }
    }

    /// <summary>True if entities go into the results as a whole.</summary>
    bool HasEntities(Expression result) => result switch
    {
        NewExpression { Arguments: var arguments } => arguments.Any(HasEntities),
        MemberInitExpression { NewExpression: var created, Bindings: var bindings } => HasEntities(created) || bindings.Any(binding => binding is not MemberAssignment { Expression: var value } || HasEntities(value)),
        ConditionalExpression { IfTrue: var first, IfFalse: var second } => HasEntities(first) || HasEntities(second),
        NewArrayExpression { Expressions: var items } => items.Any(HasEntities),
        MethodCallExpression call when call.Arguments.OfType<LambdaExpression>().Any(lambda => lambda.Body.Type != typeof(bool) && typeof(IEnumerable).IsAssignableFrom(call.Type)) =>
            call.Arguments.OfType<LambdaExpression>().Any(lambda => HasEntities(lambda.Body)) || source.Context.IsEntity(call.Type),
        MethodCallExpression { Object: null, Arguments: [var items, ..] } call when typeof(IEnumerable).IsAssignableFrom(call.Type) => HasEntities(items) || source.Context.IsEntity(call.Type),
        _ => source.Context.IsEntity(result.Type),
    };
}

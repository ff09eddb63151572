using System.Linq.Expressions;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Including;

namespace Datacake.Data;

/// <summary>A query for entities with related ones. Call <c>ThenInclude</c> to include entities related to those in turn.</summary>
/// <typeparam name="T">The entity class.</typeparam>
/// <typeparam name="TRelated">The class of the most recently included entities.</typeparam>
public sealed class IncludingQuery<T, TRelated> : OrderedQuery<T>
    where T : class
    where TRelated : class
{
    readonly Func<Inclusion<TRelated>, Inclusion<T>> _further;

    /// <param name="last">The operator that includes the entities.</param>
    /// <param name="further">A function that returns the last inclusion followed by another one.</param>
    internal IncludingQuery(OrderedOperator<T> last, Func<Inclusion<TRelated>, Inclusion<T>> further)
        : base(last) => _further = further;

    /// <summary>Returns the query with an inclusion for the most recently included entities.</summary>
    internal IncludingQuery<T, TNext> ThenIncluding<TNext>(Func<EntityModel, Inclusion<TRelated, TNext>> next)
        where TNext : class
    {
        var inclusion = next(Operator.Root.Context.Model.KeyspaceOf<TRelated>().Model);
        return And(_further(inclusion), (Inclusion<TNext> last) => _further(inclusion.Then(last)));
    }

    /// <summary>Returns the query with an inclusion of a navigation of the most recently included entities.</summary>
    internal IncludingQuery<T, TNext> ThenIncluding<TNext>(LambdaExpression navigation)
        where TNext : class
    {
        var model = Operator.Root.Context.Model;
        var path = IncludePathParser.Read<TNext>(model, model.KeyspaceOf<TRelated>().Model, navigation, out var filter);
        Inclusion<T> With(Inclusion<TNext>? last) => _further(PathInclusion<TRelated, TNext>.Of(path, filter, last));
        return And(With(null), (Inclusion<TNext> last) => With(last));
    }

    IncludingQuery<T, TNext> And<TNext>(Inclusion<T> inclusion, Func<Inclusion<TNext>, Inclusion<T>> further)
        where TNext : class => new(Operator.Include(inclusion), further);
}

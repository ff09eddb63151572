using Datacake.Data.CodeGeneration;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying.Including;

/// <summary>Creates the inclusion of a path of navigations, each of which includes the next.</summary>
/// <typeparam name="T">The class of the entities that the path starts from.</typeparam>
/// <typeparam name="TLast">The class of the entities that the path ends at.</typeparam>
sealed class PathInclusion<T, TLast> : IEntityModelVisitor<Inclusion<T>>
    where T : class
    where TLast : class
{
    readonly IReadOnlyList<NavigationModel> _path;
    readonly RelatedFilter<TLast>? _filter;
    readonly Inclusion<TLast>? _further;

    PathInclusion(IReadOnlyList<NavigationModel> path, RelatedFilter<TLast>? filter, Inclusion<TLast>? further) =>
        (_path, _filter, _further) = (path, filter, further);

    /// <summary>Returns the inclusion of a path.</summary>
    /// <param name="path">The navigations, of which the first belongs to the entities.</param>
    /// <param name="filter">The filter of the last navigation; null to include all of its entities.</param>
    /// <param name="further">The inclusion in the entities of the last navigation; null if there is none.</param>
    public static Inclusion<T> Of(IReadOnlyList<NavigationModel> path, RelatedFilter<TLast>? filter, Inclusion<TLast>? further)
    {
        if (path.Count > 1)
            return path[0].TargetModel.Accept(new PathInclusion<T, TLast>(path, filter, further));
        var last = new DeclaredInclusion<T, TLast>((NavigationModel<TLast>)path[0], filter);
        return further is null ? last : last.Then(further);
    }

    /// <summary>Returns the inclusion of the first navigation, with that of the others.</summary>
    public Inclusion<T> Visit<TTarget>(EntityModel<TTarget> model)
        where TTarget : class =>
        new DeclaredInclusion<T, TTarget>((NavigationModel<TTarget>)_path[0], null).Then(PathInclusion<TTarget, TLast>.Of([.. _path.Skip(1)], _filter, _further));
}

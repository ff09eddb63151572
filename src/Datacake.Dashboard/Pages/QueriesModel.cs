using Datacake.Dashboard.Queries;

namespace Datacake.Dashboard.Pages;

/// <summary>The shapes of the queries of the node.</summary>
/// <param name="Addresses">The addresses of the pages.</param>
/// <param name="Order">The order of the shapes.</param>
/// <param name="Shapes">The first shapes.</param>
/// <param name="Known">The number of all known shapes.</param>
/// <param name="Evicted">The number of shapes that made room for others.</param>
/// <param name="Now">The time of the page.</param>
sealed record QueriesModel(PageAddresses Addresses, QueryOrder Order, IReadOnlyList<QueryShape> Shapes, int Known, long Evicted, DateTimeOffset Now)
{
    public const int MaxShown = 50;
}

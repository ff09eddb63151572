namespace Datacake.Data;

/// <summary>A queryable for entities that come with related ones; <c>ThenInclude</c> brings what those, in turn, are related to.</summary>
/// <typeparam name="T">The entities.</typeparam>
/// <typeparam name="TRelated">The related entities that were included last.</typeparam>
public interface IIncludingQueryable<out T, out TRelated> : IQueryable<T>;

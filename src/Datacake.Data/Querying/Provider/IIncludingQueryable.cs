namespace Datacake.Data;

/// <summary>A queryable that includes related entities. <c>ThenInclude</c> includes entities that are related to these.</summary>
/// <typeparam name="T">The type of the entities.</typeparam>
/// <typeparam name="TRelated">The type of the related entities that were included last.</typeparam>
public interface IIncludingQueryable<out T, out TRelated> : IQueryable<T>;

namespace Datacake.Domain;

/// <summary>The base class of most entities in the domain.</summary>
public abstract class Entity<TKey>
    where TKey : notnull
{
    public TKey Id { get; protected set; } = default!;

    public DateTime CreatedAt { get; private set; } = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
}

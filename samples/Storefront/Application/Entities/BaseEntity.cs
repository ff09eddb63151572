namespace Storefront.Entities;

public abstract class BaseEntity
{
    public long Id { get; protected set; }
}

namespace Storefront.Entities;

public class CatalogType : BaseEntity
{
    public CatalogType(long id, string type)
    {
        Id = id;
        Type = type;
    }

    public string Type { get; private set; }
}

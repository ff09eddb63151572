namespace Storefront.Entities;

public class CatalogBrand : BaseEntity
{
    public CatalogBrand(long id, string brand)
    {
        Id = id;
        Brand = brand;
    }

    public string Brand { get; private set; }
}

namespace Storefront.Entities;

public class CatalogItem : BaseEntity
{
    public CatalogItem(long catalogTypeId, long catalogBrandId, string description, string name, decimal price, string pictureUri)
    {
        CatalogTypeId = catalogTypeId;
        CatalogBrandId = catalogBrandId;
        Description = description;
        Name = name;
        Price = price;
        PictureUri = pictureUri;
    }

    public string Name { get; private set; }

    public string Description { get; private set; }

    public decimal Price { get; private set; }

    public string PictureUri { get; private set; }

    public long CatalogTypeId { get; private set; }

    public CatalogType? CatalogType { get; private set; }

    public long CatalogBrandId { get; private set; }

    public CatalogBrand? CatalogBrand { get; private set; }

    public void UpdateDetails(string name, string description, decimal price)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(description);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(price);
        (Name, Description, Price) = (name, description, price);
    }

    public void UpdateBrand(long catalogBrandId)
    {
        ArgumentOutOfRangeException.ThrowIfZero(catalogBrandId);
        CatalogBrandId = catalogBrandId;
    }

    public void UpdatePictureUri(string pictureName) =>
        PictureUri = string.IsNullOrEmpty(pictureName) ? "" : $"images/products/{pictureName}";
}

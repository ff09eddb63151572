using System.ComponentModel.DataAnnotations.Schema;

namespace Storefront.Entities;

/// <summary>A copy of an item's data at the time of the order.</summary>
[ComplexType]
public record CatalogItemOrdered(long CatalogItemId, string ProductName, string PictureUri);

using System.ComponentModel.DataAnnotations.Schema;

namespace Storefront.Entities;

/// <summary>What an item was when it was ordered.</summary>
[ComplexType]
public record CatalogItemOrdered(long CatalogItemId, string ProductName, string PictureUri);

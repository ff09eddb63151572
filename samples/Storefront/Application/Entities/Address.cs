using System.ComponentModel.DataAnnotations.Schema;

namespace Storefront.Entities;

[ComplexType]
public record Address(string Street, string City, string Country, string ZipCode);

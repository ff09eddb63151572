using System.ComponentModel.DataAnnotations;
using Datacake.Data;

namespace Datacake.Shop;

/// <summary>A product in the cart of a visitor.</summary>
public sealed class CartLine
{
    [Key]
    public string Visitor { get; set; } = "";

    [Key]
    public int Product { get; set; }

    [Counter]
    public int Count { get; set; }
}

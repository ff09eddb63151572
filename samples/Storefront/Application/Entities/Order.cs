namespace Storefront.Entities;

public class Order : BaseEntity
{
    readonly List<OrderItem> _orderItems = [];

    Order()
    {
    }

    public Order(string buyerId, Address shipToAddress, IEnumerable<OrderItem> items)
    {
        ArgumentException.ThrowIfNullOrEmpty(buyerId);
        BuyerId = buyerId;
        ShipToAddress = shipToAddress;
        _orderItems.AddRange(items);
    }

    public string BuyerId { get; private set; } = "";

    public DateTime OrderDate { get; private set; } = DateTime.UtcNow;

    public Address ShipToAddress { get; private set; } = null!;

    public IReadOnlyCollection<OrderItem> OrderItems => _orderItems.AsReadOnly();

    public decimal Total() => _orderItems.Sum(item => item.UnitPrice * item.Units);
}

using Storefront.Entities;

namespace Storefront.Configurations;

sealed class OrderConfiguration : IEntityTypeConfiguration<Order>
{
    public void Configure(EntityTypeBuilder<Order> builder)
    {
        builder.Property(order => order.BuyerId).IsRequired().HasMaxLength(256);
        builder.HasIndex(order => order.BuyerId);
        builder.HasMany(order => order.OrderItems).WithOne().HasForeignKey(item => item.OrderId);
    }
}

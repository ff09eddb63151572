using Storefront.Entities;

namespace Storefront.Configurations;

sealed class BasketConfiguration : IEntityTypeConfiguration<Basket>
{
    public void Configure(EntityTypeBuilder<Basket> builder)
    {
        builder.Property(basket => basket.BuyerId).IsRequired().HasMaxLength(256);
        builder.HasIndex(basket => basket.BuyerId);
        builder.HasMany(basket => basket.Items).WithOne().HasForeignKey(item => item.BasketId).OnDelete(DeleteBehavior.Cascade);
    }
}

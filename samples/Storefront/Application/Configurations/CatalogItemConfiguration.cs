using Storefront.Entities;

namespace Storefront.Configurations;

sealed class CatalogItemConfiguration : IEntityTypeConfiguration<CatalogItem>
{
    public void Configure(EntityTypeBuilder<CatalogItem> builder)
    {
        builder.Property(item => item.Name).IsRequired().HasMaxLength(50);
        builder.HasIndex(item => item.Name);
        builder.HasOne(item => item.CatalogBrand).WithMany().HasForeignKey(item => item.CatalogBrandId);
        builder.HasOne(item => item.CatalogType).WithMany().HasForeignKey(item => item.CatalogTypeId);
    }
}

using Storefront.Entities;

namespace Storefront.Configurations;

sealed class CatalogBrandConfiguration : IEntityTypeConfiguration<CatalogBrand>
{
    public void Configure(EntityTypeBuilder<CatalogBrand> builder)
    {
        builder.Property(brand => brand.Brand).IsRequired().HasMaxLength(100);
        builder.HasData(new CatalogBrand(1, "Alpine"), new CatalogBrand(2, "Borealis"), new CatalogBrand(3, "Cirrus"));
    }
}

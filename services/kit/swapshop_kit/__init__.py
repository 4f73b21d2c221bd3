"""What the SwapShop services share; it imports none of them."""

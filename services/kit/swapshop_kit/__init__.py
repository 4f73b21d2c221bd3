"""Code that the SwapShop services share. It imports none of them."""

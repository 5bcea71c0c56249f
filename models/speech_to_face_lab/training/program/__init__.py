"""The one training program: any `Trainable` network, on one processor or several GPUs, stopped and gone on with as one
likes."""
